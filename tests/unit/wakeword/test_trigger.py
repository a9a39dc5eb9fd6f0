"""The trigger's rules, each checked on any scores, and a few stories of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeword import HOP
from wakeword.trigger import Detection, Trigger, TriggerSettings


def _decide(scores: Sequence[float], settings: TriggerSettings) -> list[Detection]:
    trigger = Trigger(settings)
    found = [trigger.push(score, (hop + 1) * HOP) for hop, score in enumerate(scores)]
    found.append(trigger.flush(len(scores) * HOP))
    return [each for each in found if each]


def _hop(sample: int) -> int:
    assert sample % HOP == 0
    return sample // HOP - 1


def _deaf(scores: Sequence[float], settings: TriggerSettings, wakes: list[int]) -> list[bool]:
    """Hop by hop: whether the trigger is spent or refractory, said again in the plainest way."""
    deaf = [False] * len(scores)
    for wake in wakes:
        spent = True
        for hop in range(wake + 1, len(scores)):
            spent = spent and scores[hop] >= settings.rearm_below
            deaf[hop] |= spent or (hop - wake) * HOP < settings.refractory
    return deaf


# Many scores near the thresholds, and long stretches on one side of them.
_levels = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.9, 1.0]))
_scores = st.lists(st.tuples(_levels, st.integers(1, 12)), max_size=25).map(
    lambda runs: [level for level, hops in runs for _ in range(hops)]
)
_settings = st.builds(
    TriggerSettings,
    threshold=st.sampled_from([0.05, 0.5, 0.9, 1.0]),
    patience_hops=st.integers(1, 4),
    hysteresis=st.sampled_from([0.0, 0.1, 0.3, 0.9]),
    refractory=st.sampled_from([0, 1, HOP, 5 * HOP + 1, 32_000]),
    near_miss_margin=st.sampled_from([0.0, 0.1, 0.2, 0.9]),
    near_miss_settle=st.just(0),
)


@settings(deadline=None)
@given(_scores, _settings)
def test_the_same_scores_decide_the_same(scores: list[float], settings: TriggerSettings) -> None:
    assert _decide(scores, settings) == _decide(scores, settings)


@settings(deadline=None)
@given(_scores, _settings)
def test_wakes_stand_where_patience_ends_and_nowhere_else(scores: list[float], settings: TriggerSettings) -> None:
    wakes = [_hop(each.sample) for each in _decide(scores, settings) if each.woke]
    deaf = _deaf(scores, settings, wakes)
    ready = 0
    for hop, score in enumerate(scores):
        ready = ready + 1 if score >= settings.threshold and not deaf[hop] else 0
        assert (hop in wakes) == (ready >= settings.patience_hops)
        ready = 0 if hop in wakes else ready


@settings(deadline=None)
@given(_scores, _settings)
def test_wakes_are_never_closer_than_the_refractory_time(scores: list[float], settings: TriggerSettings) -> None:
    wakes = [each.sample for each in _decide(scores, settings) if each.woke]
    assert all(later - earlier >= settings.refractory for earlier, later in pairwise(wakes))


@settings(deadline=None)
@given(st.floats(0.4, 1), st.integers(1, 300), _settings.filter(lambda each: each.threshold == 0.5))
def test_a_sustained_word_wakes_once(peak: float, hops: int, settings: TriggerSettings) -> None:
    """However long it lasts, as long as it does not fall under threshold - hysteresis."""
    scores = [0.0, 0.5, *([peak] * hops), *([0.5] * hops)]
    if peak >= settings.rearm_below and settings.patience_hops == 1:
        assert sum(each.woke for each in _decide(scores, settings)) == 1


@settings(deadline=None)
@given(_scores, _settings)
def test_every_peak_in_the_margin_is_a_near_miss_once(scores: list[float], settings: TriggerSettings) -> None:
    found = _decide(scores, settings)
    near_misses = [each for each in found if not each.woke]
    wakes = [_hop(each.sample) for each in found if each.woke]
    deaf = _deaf(scores, settings, wakes)
    for inside, members in groupby(range(len(scores)), lambda hop: scores[hop] >= settings.near_miss_from):
        run = list(members)
        here = [each for each in near_misses if _hop(each.peak_sample) in run]
        if not inside or any(hop in wakes for hop in run):
            assert here == []
        elif any(deaf[hop] for hop in run):
            assert len(here) <= 1
        else:
            (near_miss,) = here
            peak = max(run, key=lambda hop: (scores[hop], -hop))
            assert near_miss.score == scores[peak]
            assert _hop(near_miss.peak_sample) == peak
            assert near_miss.sample == min(run[-1] + 2, len(scores)) * HOP


@settings(deadline=None)
@given(_scores, _settings)
def test_a_near_miss_lies_in_the_margin(scores: list[float], settings: TriggerSettings) -> None:
    for each in _decide(scores, settings):
        assert each.score == scores[_hop(each.peak_sample)]
        assert each.peak_sample <= each.sample
        if not each.woke:
            assert each.score >= settings.near_miss_from
            assert each.score < settings.threshold or settings.patience_hops > 1


@given(_scores, _settings, st.integers(0, 20))
def test_settling_changes_no_wake_and_parts_near_misses(
    scores: list[float], settings: TriggerSettings, hops: int
) -> None:
    settled = _decide(scores, replace(settings, near_miss_settle=hops * HOP))
    at_once = _decide(scores, settings)
    assert [each for each in settled if each.woke] == [each for each in at_once if each.woke]
    peaks = {each.peak_sample for each in at_once if not each.woke}
    near_misses = [each for each in settled if not each.woke]
    assert {each.peak_sample for each in near_misses} <= peaks
    assert all(each.sample - each.peak_sample > hops * HOP or each.sample == len(scores) * HOP for each in near_misses)


def test_a_peak_just_before_the_wake_is_its_beginning() -> None:
    wavering = [0.45, 0.1, 0.4, 0.1, 0.8, 0.0]
    assert _decide(wavering, TriggerSettings()) == [Detection(True, 5 * HOP, 0.8, 5 * HOP)]
    early, at = [0.45] + [0.1] * 20, TriggerSettings()
    assert [each.woke for each in _decide(early + wavering, at)] == [False, True]


def test_peaks_close_together_are_one_near_miss() -> None:
    quiet = [0.0] * 15
    assert _decide([0.35, 0.1, 0.45, 0.1, 0.4, *quiet], TriggerSettings()) == [
        Detection(False, 19 * HOP, 0.45, 3 * HOP)
    ]
    assert len(_decide([0.35, *quiet, 0.45, *quiet], TriggerSettings())) == 2


def test_two_words_wake_twice() -> None:
    word, pause = [0.2, 0.8, 0.95, 0.7, 0.1], [0.0] * 30
    wakes = _decide(word + pause + word, TriggerSettings())
    assert wakes == [Detection(True, 2 * HOP, 0.8, 2 * HOP), Detection(True, 37 * HOP, 0.8, 37 * HOP)]


def test_a_second_word_within_the_refractory_time_is_not_heard() -> None:
    assert len(_decide([0.8, 0.0, 0.9, 0.0], TriggerSettings(refractory=3 * HOP))) == 1
    assert len(_decide([0.8, 0.0, 0.9, 0.0], TriggerSettings(refractory=2 * HOP))) == 2


def test_patience_asks_for_hops_in_a_row_and_names_their_peak() -> None:
    settings = TriggerSettings(patience_hops=3, near_miss_settle=0)
    assert _decide([0.6, 0.9, 0.0, 0.6, 0.6, 0.0], settings) == [
        Detection(False, 3 * HOP, 0.9, 2 * HOP),
        Detection(False, 6 * HOP, 0.6, 4 * HOP),
    ]
    assert _decide([0.6, 0.9, 0.7, 0.0], settings) == [Detection(True, 3 * HOP, 0.9, 2 * HOP)]


def test_wavering_above_the_hysteresis_is_one_word() -> None:
    settings = TriggerSettings(refractory=0)
    assert len(_decide([0.6, 0.45, 0.6, 0.45, 0.6], settings)) == 1
    assert len(_decide([0.6, 0.39, 0.6, 0.39, 0.6], settings)) == 3


def test_how_a_long_word_fades_away_is_no_near_miss() -> None:
    fading = [0.9] * 40 + [0.45, 0.35, 0.32, 0.1]
    assert [each.woke for each in _decide(fading, TriggerSettings())] == [True]
    later_peak = Detection(False, 47 * HOP, 0.4, 46 * HOP)
    assert _decide([*fading, 0.2, 0.4, 0.0], TriggerSettings())[1:] == [later_peak]


def test_a_near_miss_at_the_end_of_the_stream_is_given_by_flush() -> None:
    trigger = Trigger()
    assert trigger.push(0.45, HOP) is None
    assert trigger.push(0.4, 2 * HOP) is None
    assert trigger.flush(2 * HOP) == Detection(False, 2 * HOP, 0.45, HOP)
    assert trigger.flush(2 * HOP) is None


def test_rearm_forgets_the_scores_but_not_the_refractory_time() -> None:
    trigger = Trigger(TriggerSettings(patience_hops=2, refractory=6 * HOP))
    trigger.push(0.9, HOP)
    trigger.rearm()
    assert trigger.push(0.9, 2 * HOP) is None, "patience begins anew"
    woken = trigger.push(0.9, 3 * HOP)
    assert woken is not None
    assert woken.woke
    trigger.rearm()
    assert all(trigger.push(0.9, hop * HOP) is None for hop in range(4, 10)), "refractory up to hop 8, then patience"
    again = trigger.push(0.9, 10 * HOP)
    assert again is not None
    assert again.woke


def test_a_low_threshold_still_has_room_under_it() -> None:
    settings = TriggerSettings(threshold=0.05)
    assert settings.rearm_below == settings.near_miss_from == 0.025
    word = [0.06, 0.01]
    assert len(_decide(word + [0.0] * 30 + word, settings)) == 2


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": 1.1}, "threshold"),
        ({"patience_hops": 0}, "patience"),
        ({"refractory": -1}, "refractory"),
        ({"hysteresis": -0.1}, "hysteresis"),
        ({"near_miss_margin": -0.1}, "near-miss margin"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TriggerSettings(**wrong)  # type: ignore[arg-type]


def test_a_raised_bar_holds_for_its_hops_alone() -> None:
    trigger = Trigger(TriggerSettings(near_miss_settle=0))
    assert trigger.push(0.7, HOP, bar=0.8) is None
    assert trigger.push(0.1, 2 * HOP, bar=0.8) == Detection(False, 2 * HOP, 0.7, HOP, raised=0.8)
    assert trigger.push(0.85, 3 * HOP, bar=0.8) == Detection(True, 3 * HOP, 0.85, 3 * HOP, raised=0.8)
    other = Trigger(TriggerSettings())
    assert other.push(0.7, HOP, bar=0.3) == Detection(True, HOP, 0.7, HOP), "a bar never lowers the threshold"
