"""Long rows of numbers as the page draws them: few enough, and packed."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.report.lane import Wave

MOST = 60_000
"""Values a curve has, about: what is longer is thinned out, keeping the extremes."""

FINEST = 40
"""Samples a pair of an envelope stands for at first: 2.5 ms."""


def pack(values: NDArray[Any]) -> str:
    """Base64 of the values, little-endian."""
    return base64.b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode("ascii")


class Envelope:
    """Lowest and highest of every `size` samples; `size` doubles as the sound grows, so that the bins stay few."""

    def __init__(self) -> None:
        self.size, self.length = FINEST, 0
        self._bins = np.empty((0, 2), np.int16)
        self._rest = np.empty(0, np.int16)

    def append(self, samples: NDArray[np.int16]) -> None:
        """Take int16[n]."""
        self.length += len(samples)
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) // self.size * self.size
        rows, self._rest = sound[:whole].reshape(-1, self.size), sound[whole:]
        if whole:
            self._bins = np.concatenate([self._bins, np.stack([rows.min(axis=1), rows.max(axis=1)], axis=1)])
        while len(self._bins) > MOST and len(self._bins) % 2 == 0:
            lowest, highest = self._bins[:, 0], self._bins[:, 1]
            pairs = lowest.reshape(-1, 2).min(axis=1), highest.reshape(-1, 2).max(axis=1)
            self._bins, self.size = np.stack(pairs, axis=1), 2 * self.size

    @property
    def bins(self) -> NDArray[np.int16]:
        """Lowest and highest of every `size` samples of what was taken, int16[n, 2]."""
        if not len(self._rest):
            return self._bins
        return np.concatenate([self._bins, np.array([[self._rest.min(), self._rest.max()]], np.int16)])

    def wave(self) -> Wave:
        """Pack what was taken; the loudest value fills the int8."""
        bins = self.bins
        peak = int(np.abs(bins.astype(np.int32)).max(initial=1))
        scaled = np.rint(bins.astype(np.float64) * (127.0 / peak)).astype(np.int8)
        return Wave(self.size, peak / 32768.0, pack(scaled))


def thin(values: NDArray[np.float32]) -> tuple[int, NDArray[np.float32]]:
    """Give a power of two n and the highest of every n values, MOST at most; NaN only where all are."""
    factor = 1
    while factor * MOST < len(values):
        factor *= 2
    padded = np.append(values, np.full(-len(values) % factor, np.nan, np.float32))
    return factor, np.asarray(np.fmax.reduce(padded.reshape(-1, factor), axis=1), np.float32)
