"""Levels of sounds that are known, and what is advised about them."""

from __future__ import annotations

import numpy as np
import pytest

from device.level import Check, Level, Meter, advice
from wakeword.frames import HOP
from wakeword.sound import RATE, Samples, to_int16


def tone(peak: float, seconds: float = 1.0, offset: float = 0.0) -> Samples:
    return to_int16(offset + peak * np.sin(2 * np.pi * 400 * np.arange(round(seconds * RATE)) / RATE))


def measured(*parts: tuple[Samples, bool]) -> Level:
    meter = Meter()
    for sound, speech in parts:
        for begin in range(0, len(sound), HOP):
            meter.hear(sound[begin : begin + HOP], speech)
    return meter.level()


def test_a_sine_has_its_level_peak_and_offset() -> None:
    level = measured((tone(0.5, 2.0, offset=0.1), False))
    assert level.seconds == 2.0
    assert level.rms_dbfs == pytest.approx(10 * np.log10(0.5**2 / 2 + 0.1**2), abs=0.1)
    assert level.peak_dbfs == pytest.approx(20 * np.log10(0.6), abs=0.1)
    assert level.offset == pytest.approx(0.1, abs=0.001)
    assert (level.clipped, level.constant, level.speech_dbfs, level.snr_db) == (0, None, None, None)


def test_speech_stands_over_the_floor_of_the_quietest_tenth() -> None:
    level = measured((tone(0.001, 1.6), False), (tone(0.1, 1.6), True))
    assert level.floor_dbfs == pytest.approx(-63, abs=0.5)
    assert level.speech_dbfs == pytest.approx(-23, abs=0.1)
    assert level.snr_db == pytest.approx(40, abs=0.6)


def test_clipped_samples_are_counted() -> None:
    sound = tone(2.0)
    assert measured((sound, False)).clipped == int(np.count_nonzero(np.abs(sound.astype(int)) >= 32_700)) > 1000


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (measured((np.zeros(RATE, np.int16), False)), ["nothing but the value 0"]),
        (measured((np.full(RATE, -7, np.int16), False)), ["nothing but the value -7"]),
        (measured((np.tile(np.array([1, -1], np.int16), RATE), False)), ["the microphone is silent (-90.3 dBFS)"]),
        (measured((tone(2.0), True)), ["are clipped; turn the capture volume down by 6 dB"]),
        (measured((tone(0.9), True)), ["speech is loud (-3.9 dBFS); turn the capture volume down by 26 dB"]),
        (measured((tone(0.0005), False), (tone(0.005), True)), ["speech is faint (-49.0 dBFS)", "up by 19 dB"]),
        (measured((tone(0.02, offset=0.05), False)), ["lies +5.0% off the middle"]),
        (measured((tone(0.1), False), (tone(0.2), True)), ["words stand only 6.0 dB above the noise"]),
        (measured((tone(0.001), False), (tone(0.1), True)), []),
    ],
)
def test_what_is_wrong_is_said_with_its_mend(level: Level, words: list[str]) -> None:
    found = advice(level)
    assert bool(found) == bool(words)
    for each in words:
        assert each in "\n".join(found)


def test_the_check_of_the_first_second_speaks_once() -> None:
    check = Check()
    assert [check.hear(tone(0.5, 0.3)) is None for _ in range(6)] == [True, True, True, False, True, True]
