"""Tuning: what counts as said, which threshold is taken, and how it is written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio import Block
from device.config import WakeSettings, load_device
from device.errors import ConfigError
from device.mic_check import Examination
from sim.lab.detection import Point
from sim.tune.choice import choose, hours_needed, points
from sim.tune.hearing import PAUSE_HOPS, Hearing, Utterances
from sim.tune.written import changed, put
from tests.firmware_kit import FakeScorers, FakeVoice, Sound, sound_of
from wakeword.frames import HOP


def said(*pieces: tuple[int, float, float]) -> Sound:
    """So many hops each, with this score and this probability of speech."""
    sounds, clock = [], 0
    for count, alexa, speech in pieces:
        sounds.append(sound_of(clock, count * HOP, alexa=alexa, speech=speech))
        clock += count * HOP
    return np.concatenate(sounds)


SAYING = ((15, 0.0, 0.0), (5, 0.0, 1.0), (2, 0.9, 1.0), (15, 0.1, 0.0))


def heard(*sounds: Sound, lost: int = 0) -> Hearing:
    hearing = Hearing(Examination(WakeSettings(), FakeScorers(), FakeVoice()))
    clock = 0
    for sound in sounds:
        hearing.hear(Block(clock, sound))
        clock += len(sound) + lost
    hearing.finish()
    return hearing


# ---- what was said ----


def test_each_saying_is_one_span_with_its_highest_score() -> None:
    hearing = heard(said(*SAYING, *SAYING))
    assert len(hearing.spans) == 2
    assert [round(hearing.best(span), 2) for span in hearing.spans] == [0.9, 0.9]
    first, second = hearing.spans
    assert first == ((15 - 2) * HOP, 22 * HOP)
    assert second == ((37 + 15 - 2) * HOP, (37 + 22) * HOP)


def test_a_score_that_comes_after_the_word_is_its_own() -> None:
    hearing = heard(said((10, 0, 0), (5, 0.0, 1.0), (3, 0.2, 0), (2, 0.8, 0), (15, 0, 0)))
    assert hearing.best(hearing.spans[0]) == pytest.approx(0.8, abs=0.01)


def test_a_click_is_no_word_and_a_short_pause_ends_none() -> None:
    click = heard(said((10, 0, 0), (1, 0.0, 1.0), (20, 0, 0)))
    assert click.spans == []
    pause = heard(said((10, 0, 0), (3, 0, 1), (PAUSE_HOPS - 1, 0, 0), (3, 0, 1), (20, 0, 0)))
    assert len(pause.spans) == 1


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 20)), max_size=40))
def test_spans_never_overlap_and_lie_in_the_sound(runs: list[tuple[bool, int]]) -> None:
    utterances, spans, end = Utterances(), [], 0
    for speech, count in runs:
        for _ in range(count):
            end += HOP
            spans.append(utterances.push(speech, end))
    spans.append(utterances.finish())
    before = 0
    for span in filter(None, spans):
        assert before <= span[0] < span[1] <= end
        before = span[1]


def test_lost_sound_scores_nothing_and_counts_for_no_time() -> None:
    hearing = heard(said((20, 0.3, 0)), said((20, 0.3, 0)), lost=10 * HOP)
    assert len(hearing.scores) == 50
    assert not hearing.scores[20:30].any()
    assert hearing.hours == pytest.approx(40 * 0.08 / 3600)


def test_a_second_stretch_of_one_stream_begins_at_nothing() -> None:
    examination = Examination(WakeSettings(), FakeScorers(), FakeVoice())
    first, second = Hearing(examination), Hearing(examination)
    first.hear(Block(0, said((20, 0.9, 0))))
    second.hear(Block(20 * HOP, said((10, 0.2, 0))))
    assert (len(first.scores), len(second.scores)) == (20, 10)
    assert second.scores.max() < 0.3


# ---- which threshold ----


def curve(*counts: tuple[float, int, int], hours: float = 10.0) -> list[Point]:
    return [Point(threshold, misses, 10, false, hours) for threshold, misses, false in counts]


FALLING = curve((0.1, 0, 90), (0.2, 0, 20), (0.3, 0, 4), (0.4, 0, 2), (0.5, 0, 1), (0.6, 1, 0), (0.7, 5, 0))


@pytest.mark.parametrize(
    ("found", "in_use", "per_hour", "threshold"),
    [
        (FALLING, 0.4, 0.5, 0.4),  # as good as any: stay
        (FALLING, 0.1, 0.5, 0.4),  # the middle of 0.3 to 0.5
        (FALLING, 0.7, 0.5, 0.4),
        (FALLING, 0.1, 0.1, 0.5),
        (FALLING, 0.1, 0.05, 0.6),
        (curve((0.1, 0, 90), (0.9, 0, 80)), 0.1, 0.5, None),
        (curve((0.1, 0, 0), (0.2, 1, 0), (0.3, 0, 0), (0.4, 0, 0), (0.5, 0, 0), (0.6, 2, 0)), 0.2, 0.5, 0.4),
        (curve((0.1, 0, 0), (0.2, 0, 9), (0.3, 0, 0), (0.4, 1, 0)), 0.1, 0.5, 0.3),  # not below where it woke again
    ],
)
def test_the_threshold_is_the_best_one_that_is_quiet_enough(
    found: list[Point], in_use: float, per_hour: float, threshold: float | None
) -> None:
    choice = choose(found, in_use, per_hour)
    assert choice.threshold == threshold
    assert choice.point.threshold == (in_use if threshold is None else threshold)


def test_misses_and_false_wakes_are_those_of_the_device() -> None:
    positive = heard(said(*SAYING, *SAYING, *((a, min(score, 0.35), speech) for a, score, speech in SAYING)))
    negative = heard(said((30, 0, 0), (1, 0.6, 0), (40, 0, 0), (3, 0.8, 0), (40, 0, 0)))
    settings = WakeSettings()
    found = points(positive.scores, positive.spans, [negative.scores, negative.scores], 2.0, settings, 0.5)
    at = {point.threshold: point for point in found}
    assert (at[0.3].misses, at[0.5].misses, at[0.95].misses) == (0, 1, 3)
    assert (at[0.5].false_wakes, at[0.7].false_wakes, at[0.9].false_wakes) == (4, 2, 0)
    assert at[0.5].words == 3


def test_the_word_said_again_within_the_refractory_time_is_no_miss() -> None:
    soon = ((12, 0.0, 0.0), (3, 0.0, 1.0), (1, 0.9, 1.0))
    hearing = heard(said(*soon, *soon, (20, 0, 0)))
    found = points(hearing.scores, hearing.spans, [hearing.scores], 1.0, WakeSettings(refractory_ms=30_000), 0.5)
    point = next(each for each in found if each.threshold == 0.5)
    assert (point.misses, point.words, point.false_wakes) == (0, 2, 1)


def test_how_long_it_takes_to_show_a_rate() -> None:
    assert hours_needed(0.5) == pytest.approx(-np.log(0.025) / 0.5)


# ---- what is written ----

PROFILE = """# mine
name: shelf
wake:
  words: [alexa]  # one
  # threshold: 0.5
  patience_hops: 1
audio:
  block_ms: 20
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "wake:\n  threshold: 0.62\n"),
        ("name: shelf", "name: shelf\nwake:\n  threshold: 0.62\n"),
        (PROFILE, PROFILE.replace("wake:\n", "wake:\n  threshold: 0.62\n")),
        (PROFILE.replace("# threshold", "threshold"), PROFILE.replace("# threshold: 0.5", "threshold: 0.62")),
        ("wake:\n     words: [alexa]\n", "wake:\n     threshold: 0.62\n     words: [alexa]\n"),
        ("wake: # here\n    threshold: 1\nname: b\n", "wake: # here\n    threshold: 0.62\nname: b\n"),
    ],
)
def test_only_the_threshold_changes_in_a_configuration(tmp_path: Path, before: str, after: str) -> None:
    assert changed(before, 0.62) == after
    path = tmp_path / "mine.yaml"
    if before:
        path.write_text(before)
    put(path, 0.62)
    assert path.read_text() == after
    assert load_device(path).wake.threshold == 0.62
    assert [each.name for each in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("text", ["wake: {words: [alexa]}\n", "name: [\n"])
def test_a_file_that_takes_no_line_stays_as_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.yaml.*; put it there by hand: wake: \{threshold: 0\.62\}$"):
        put(path, 0.62)
    assert path.read_text() == text
    assert [each.name for each in tmp_path.iterdir()] == ["mine.yaml"]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be written .* choose another with --write"):
        put(tmp_path / "nowhere" / "mine.yaml", 0.5)
