"""The arithmetic and the wording of the report, without a page."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.report.envelope import MOST, Envelope, thin
from sim.report.outcome import Clips, Wakes
from sim.report.story import Total, figures, sentence
from sim.report.wording import clock, long
from sim.report.words import compare
from wakeword.sound import RATE


def test_lengths_and_times_are_told_in_the_unit_that_fits() -> None:
    told = [long(time_s).replace("\N{NO-BREAK SPACE}", " ") for time_s in (0, 0.01, 15.53, 120, 7_199, 7_200)]
    assert told == ["0.0 s", "10 ms", "15.5 s", "2.0 min", "120.0 min", "2.0 h"]
    assert [clock(time * RATE) for time in (0, 61, 3_661)] == ["0:00.00", "1:01.00", "1:01:01.00"]
    assert clock(RATE - 1) == "0:00.99"


@pytest.mark.parametrize(
    ("wakes", "clips", "said"),
    [
        (Wakes(), (0, 0, 0), "The device did not wake, and no sound left the home."),
        (
            Wakes(false=2),
            (2, 2, 15.53),
            "The device woke twice while nobody addressed it; 15.5 s of sound left the home in 2 clips, both received "
            "by the far end.",
        ),
        (
            Wakes(true=3, false=1),
            (4, 3, 20),
            "The device woke 4 times, 1 of them while nobody addressed it; 20.0 s of sound was recorded for the far "
            "end in 4 clips, 3 of them received by the far end.",
        ),
        (
            Wakes(true=1),
            (1, 0, 2),
            "The device woke once, because it was addressed; 2.0 s of sound was recorded for the far end in 1 clip, "
            "which the far end has not received.",
        ),
        (
            Wakes(all=3),
            (3, 3, 9),
            "The device woke 3 times (whether it was meant is not known); 9.0 s of sound left the home in 3 clips, all "
            "of them received by the far end.",
        ),
    ],
)
def test_the_headline_is_a_sentence(wakes: Wakes, clips: tuple[int, int, float], said: str) -> None:
    outcome = Clips(captured=clips[0], received=clips[1], uploaded_s=clips[2])
    assert sentence(Total(1, wakes, outcome)).replace("\N{NO-BREAK SPACE}", " ") == said


def test_the_figures_do_not_claim_a_truth_that_is_not_known() -> None:
    clips = Clips(captured=0, received=0, uploaded_s=0)
    assert figures(Total(1, Wakes(all=0), clips), 1, 0)[0].label == "wakes"
    labels = [figure.label for figure in figures(Total(1, Wakes(), clips), 1, 0.5)]
    assert labels[:2] == ["false wakes", "true wakes"]
    assert labels[-1] == "of sound lost"


def test_misheard_words_are_those_that_must_differ() -> None:
    found = compare("Unacceptable, for that money. Write back!", "an acceptable for that money right back")
    assert [word for word, same in found.said if not same] == ["Unacceptable,", "Write"]
    assert [word for word, same in found.heard if not same] == ["an", "acceptable", "right"]
    assert found.errors == 3
    assert found.whole
    cut = compare("… for that money. …", "for that money")
    assert (cut.errors, cut.whole) == (0, False)
    assert all(same for _, same in (*cut.said, *cut.heard))


WORDS = st.lists(st.sampled_from(["one", "two", "three", "Four."]), max_size=8)


@given(WORDS, WORDS)
def test_what_is_left_after_the_marks_is_the_same_on_both_sides(said: list[str], heard: list[str]) -> None:
    found = compare(" ".join(said), " ".join(heard))
    assert [word for word, same in found.said if same] == [word for word, same in found.heard if same]
    assert found.errors == compare(" ".join(heard), " ".join(said)).errors
    assert (found.errors == 0) == (said == heard)
    marked = [sum(not same for _, same in side) for side in (found.said, found.heard)]
    assert max(marked) <= found.errors <= sum(marked)


@pytest.mark.parametrize("chunk", [16_000, 999])
def test_a_long_envelope_keeps_the_extremes(chunk: int) -> None:
    sound = np.random.default_rng(chunk).integers(-9_000, 9_000, 45 * MOST).astype(np.int16)
    envelope = Envelope()
    for begin in range(0, len(sound), chunk):
        envelope.append(sound[begin : begin + chunk])
    wave = envelope.wave()
    bins = np.frombuffer(base64.b64decode(wave.values), np.int8).reshape(-1, 2)
    rows = sound[: len(sound) // wave.size * wave.size].reshape(-1, wave.size).astype(np.float64)
    assert envelope.length == len(sound)
    assert MOST / 2 <= len(bins) <= MOST + chunk // 40
    scale = 127 / 32768 / wave.peak
    assert np.array_equal(bins[: len(rows), 0], np.rint(rows.min(axis=1) * scale))
    assert np.array_equal(bins[: len(rows), 1], np.rint(rows.max(axis=1) * scale))


def test_thinned_scores_keep_their_peaks_and_their_gaps() -> None:
    values = np.zeros(3 * MOST + 1, np.float32)
    values[77_777], values[8:12], values[14] = 0.9, np.nan, np.nan
    factor, thinned = thin(values)
    assert (factor, len(thinned)) == (4, 3 * MOST // 4 + 1)
    assert thinned[77_777 // 4] == np.float32(0.9)
    assert np.flatnonzero(np.isnan(thinned)).tolist() == [2]
    assert thin(values[:10])[0] == 1
