"""How loud the speech in a stream is, whatever the cuts in which it comes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.home.levels import FRAME, active_power, frame_powers


class SpeechPower:
    """Gathers the mean squares of frames of 20 ms; 8 bytes for each, so a day of sound fits."""

    def __init__(self) -> None:
        self._powers: list[NDArray[np.float64]] = []
        self._rest: NDArray[Any] = np.zeros(0, np.float32)

    def push(self, sound: NDArray[Any]) -> None:
        """Take the next samples."""
        whole = np.concatenate([self._rest, sound])
        n = len(whole) // FRAME * FRAME
        self._powers.append(frame_powers(whole[:n]))
        self._rest = whole[n:]

    def value(self) -> float:
        """The mean square of active speech so far."""
        return active_power(np.concatenate([*self._powers, frame_powers(self._rest)]))
