"""When somebody has finished speaking."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.config import CaptureSettings
from device.endpoint import Endpointer
from wakeword.frames import HOP

SETTINGS = CaptureSettings(silence_ms=800, first_speech_ms=2000)  # 10 and 25 hops


def ended(
    probabilities: Sequence[float], after: int = 0, settings: CaptureSettings = SETTINGS
) -> tuple[int, str] | None:
    """Give after how many hops, and why, it says that the capture is over."""
    endpointer = Endpointer(settings, after)
    for k, probability in enumerate(probabilities):
        reason = endpointer.push(probability, (k + 1) * HOP)
        if reason is not None:
            return k + 1, reason
    return None


def test_silence_after_speech_ends_it() -> None:
    assert ended([0, 0, 1, 1] + [0] * 20) == (14, "silence")


def test_a_short_pause_does_not() -> None:
    assert ended(([1] * 3 + [0] * 9) * 4 + [0]) == (49, "silence")


def test_without_speech_it_waits_longer() -> None:
    assert ended([0] * 40) == (25, "no_speech")


def test_the_wake_word_is_not_the_request() -> None:
    word = 5 * HOP
    assert ended([1] * 5 + [0] * 40, after=word) == (30, "no_speech")
    assert ended([1] * 6 + [0] * 40, after=word) == (16, "silence")


@pytest.mark.parametrize(("fading", "hops"), [(0.36, None), (0.34, 14)])
def test_speech_that_has_begun_is_believed_longer(fading: float, hops: int | None) -> None:
    result = ended([0.1, 0.4, 0.4, 0.6] + [fading] * 20)
    assert result == (None if hops is None else (hops, "silence"))


def test_what_only_would_go_on_does_not_begin() -> None:
    assert ended([0.4] * 40) == (25, "no_speech")


def test_with_a_low_probability_there_still_is_silence() -> None:
    low = CaptureSettings(speech_probability=0.1)
    assert ended([0.5] + [0.02] * 20, settings=low) == (11, "silence")


@given(st.lists(st.sampled_from([0.0, 0.4, 1.0]), max_size=200), st.integers(0, 10 * HOP))
def test_it_never_ends_within_the_silence_time_of_speech(probabilities: list[float], after: int) -> None:
    result = ended(probabilities, after)
    spoken = [(k + 1) * HOP for k, p in enumerate(probabilities) if p == 1.0 and k * HOP >= after]
    if result is None:
        waits = [after, *spoken, len(probabilities) * HOP]
        assert all(late - early < 25 * HOP for early, late in pairwise(waits) if late > early)
    else:
        hops, reason = result
        before = [end for end in spoken if end <= hops * HOP]
        assert (reason == "no_speech") == (not before)
        assert hops * HOP - (before[-1] if before else after) >= (10 if before else 25) * HOP
