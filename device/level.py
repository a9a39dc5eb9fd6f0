"""How loud a microphone is: level, noise floor, clipping and offset, and what to do about them.

Levels are in dBFS, RMS under a full-scale square wave; of speech and noise they are taken over hops of 80 ms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.frames import HOP
from wakeword.sound import RATE, Samples

FULL = 32_768
CLIPPED = 32_700
"""From here on a sample counts as clipped: resampling moves a flat top a little."""
SILENT_DBFS = -80.0
"""Quieter than any microphone with something in front of it: the noise of the converter alone."""
LOW_DBFS, GOOD_DBFS, HIGH_DBFS = -45.0, -30.0, -12.0
"""Speech is faint below the first, best at the second, and loud above the third; the model hears all three."""
OFFSET = 0.02
"""Of full scale; more is an electrical fault or a cheap microphone, and takes room from the sound."""
SNR_DB = 10.0
"""Below this, words drown."""

_STEP_DB, _LOWEST_DB = 0.5, -100.0
_STEPS = round(-_LOWEST_DB / _STEP_DB) + 1
_FLOOR_SHARE = 0.1
"""The noise floor is the level that the quietest tenth of all hops keeps under."""
_GAIN = "in alsamixer (F4), or with pactl set-source-volume"


@dataclass(frozen=True)
class Level:
    """What was heard in `seconds`; levels are None where there was nothing to take them of."""

    seconds: float
    rms_dbfs: float | None
    peak_dbfs: float | None
    floor_dbfs: float | None
    speech_dbfs: float | None
    """Over the hops in which somebody spoke."""
    offset: float
    """The mean, of full scale 1."""
    clipped: int
    """Samples."""
    constant: int | None
    """The value of all samples, where they have but one."""

    @property
    def snr_db(self) -> float | None:
        """Speech over the noise floor."""
        if self.speech_dbfs is None or self.floor_dbfs is None:
            return None
        return round(self.speech_dbfs - self.floor_dbfs, 1)


class Meter:
    """Measures sound as it comes, in memory that does not grow."""

    def __init__(self) -> None:
        self._count = self._clipped = self._spoken = 0
        self._sum = self._power = self._spoken_power = 0.0
        self._low, self._high = FULL, -FULL - 1
        self._hops: NDArray[np.int64] = np.zeros(_STEPS, np.int64)

    def hear(self, hop: Samples, speech: bool = False) -> None:
        """Take int16[n], best a hop at a time; `speech`: somebody speaks in it."""
        if not len(hop):
            return
        floats = hop.astype(np.float64)
        power = float(floats @ floats)
        self._count += len(hop)
        self._sum += float(floats.sum())
        self._power += power
        self._low, self._high = min(self._low, int(hop.min())), max(self._high, int(hop.max()))
        self._clipped += int(np.count_nonzero(np.abs(floats) >= CLIPPED))
        if speech:
            self._spoken += len(hop)
            self._spoken_power += power
        level = _dbfs(power / len(hop))
        self._hops[round((max(_LOWEST_DB, min(0.0, level)) - _LOWEST_DB) / _STEP_DB)] += 1

    def level(self) -> Level:
        """What was measured so far."""
        if not self._count:
            return Level(0.0, None, None, None, None, 0.0, 0, None)
        share = np.cumsum(self._hops) / self._hops.sum()
        floor = _LOWEST_DB + _STEP_DB * int(np.searchsorted(share, _FLOOR_SHARE))
        return Level(
            round(self._count / RATE, 2),
            round(_dbfs(self._power / self._count), 1),
            round(_dbfs(float(max(abs(self._low), abs(self._high))) ** 2), 1),
            floor,
            round(_dbfs(self._spoken_power / self._spoken), 1) if self._spoken else None,
            round(self._sum / self._count / FULL, 4),
            self._clipped,
            self._low if self._low == self._high else None,
        )


def _dbfs(power: float) -> float:
    return max(_LOWEST_DB, 10 * math.log10(power / FULL**2)) if power > 0 else _LOWEST_DB


def advice(level: Level) -> list[str]:
    """What is wrong with a level, each as a sentence with its mend; none where all is well."""
    if level.constant is not None:
        return [
            f"the microphone gives nothing but the value {level.constant}; look for a mute button on it, and switch "
            "its capture on in alsamixer (F4)"
        ]
    if level.rms_dbfs is None or level.rms_dbfs < SILENT_DBFS:
        return [
            f"the microphone is silent ({level.rms_dbfs} dBFS); look for a mute button and a loose plug, and turn its "
            f"capture volume up {_GAIN}"
        ]
    found = []
    if level.clipped:
        found.append(f"{level.clipped} samples are clipped; turn the capture volume down by 6 dB {_GAIN}")
    elif level.speech_dbfs is not None and level.speech_dbfs > HIGH_DBFS:
        down = round(level.speech_dbfs - GOOD_DBFS)
        found.append(f"speech is loud ({level.speech_dbfs} dBFS); turn the capture volume down by {down} dB {_GAIN}")
    elif level.speech_dbfs is not None and level.speech_dbfs < LOW_DBFS:
        up = round(GOOD_DBFS - level.speech_dbfs)
        found.append(f"speech is faint ({level.speech_dbfs} dBFS); turn the capture volume up by {up} dB {_GAIN}")
    if abs(level.offset) > OFFSET:
        found.append(
            f"the sound lies {level.offset:+.1%} off the middle; another microphone or USB port is the mend, and until "
            "then it does little harm"
        )
    if level.snr_db is not None and level.snr_db < SNR_DB:
        found.append(
            f"words stand only {level.snr_db} dB above the noise; move the microphone nearer to who speaks, or away "
            "from fans and walls"
        )
    return found


class Check:
    """The look at a microphone's first second, before anybody relies on it: `hear` gives the level, once."""

    def __init__(self, seconds: float = 1.0) -> None:
        self._meter, self._left = Meter(), round(seconds * RATE)

    def hear(self, samples: Samples) -> Level | None:
        """Take int16[n]; gives the level when the second is over, and None before and after."""
        if self._left <= 0:
            return None
        for begin in range(0, len(samples), HOP):
            self._meter.hear(samples[begin : begin + HOP])
        self._left -= len(samples)
        return self._meter.level() if self._left <= 0 else None
