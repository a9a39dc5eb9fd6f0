"""Levels: the sound in the air is float32 in units of 20 µPa, so that an RMS of 1 is 0 dB SPL. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.sound import RATE

Sound = NDArray[np.float32]

FRAME = RATE // 50
"""Levels are measured over frames of 20 ms; those 30 dB under the loudest are no active speech."""

ACTIVE_DB = 30.0

SILENCE_DB_SPL = -20.0
"""What stands for the level of nothing at all."""


def amplitude(db: float) -> float:
    """The factor that so many dB are."""
    return float(10.0 ** (db / 20.0))


def db_spl(power: float) -> float:
    """A mean square (in units of 20 µPa, squared) as dB SPL, to a tenth."""
    return round(max(SILENCE_DB_SPL, 10.0 * float(np.log10(max(power, 1e-30)))), 1)


def frame_powers(sound: NDArray[Any]) -> NDArray[np.float64]:
    """Mean square of each frame of 20 ms; the last one is filled up with silence."""
    padded = np.pad(sound.astype(np.float64), (0, -len(sound) % FRAME))
    powers: NDArray[np.float64] = np.mean(padded.reshape(-1, FRAME) ** 2, axis=1)
    return powers


def active_power(powers: NDArray[np.float64]) -> float:
    """Mean of the powers of the frames that hold speech; after ITU-T P.56, with a fixed margin. 0 for silence."""
    if not len(powers) or not (loudest := np.max(powers)):
        return 0.0
    return float(np.mean(powers[powers >= loudest * 10.0 ** (-ACTIVE_DB / 10.0)]))


def at_level(sound: NDArray[np.int16], level_db_spl: float) -> Sound:
    """int16[n] as it is 1 m from a mouth whose active speech is so loud there."""
    power = active_power(frame_powers(sound))
    scaled: Sound = sound.astype(np.float32) * np.float32(amplitude(level_db_spl) / np.sqrt(power) if power else 0.0)
    return scaled


def microphone_gain(full_scale_db_spl: float) -> float:
    """From the air to int16: a sine of that level has peaks of 32768."""
    return 32768.0 / (float(np.sqrt(2.0)) * amplitude(full_scale_db_spl))
