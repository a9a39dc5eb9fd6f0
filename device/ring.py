"""The last seconds of sound, in memory only, under indices that never wrap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Ring:
    """Holds the newest `capacity` samples; a sample keeps its absolute index for as long as it is held."""

    def __init__(self, capacity: int) -> None:
        self._samples = np.zeros(capacity, np.int16)
        self.tail = 0
        """Index of the oldest sample held."""
        self.head = 0
        """Index just past the newest sample."""

    def append(self, samples: NDArray[np.int16]) -> None:
        """Add int16[n]; what is older than the capacity is overwritten."""
        capacity = len(self._samples)
        self.head += len(samples)
        newest = samples[-capacity:]
        at = (self.head - len(newest)) % capacity
        first = min(len(newest), capacity - at)
        self._samples[at : at + first] = newest[:first]
        self._samples[: len(newest) - first] = newest[first:]
        self.tail = max(self.tail, self.head - capacity)

    def read(self, begin: int, end: int) -> NDArray[np.int16]:
        """Give a copy of samples begin to end (exclusive); raises IndexError for what is not held."""
        if not self.tail <= begin <= end <= self.head:
            raise IndexError(f"samples {begin} to {end} are not held, only {self.tail} to {self.head}")
        at = np.arange(begin, end) % len(self._samples)
        return self._samples[at]

    def wipe(self, to: int) -> None:
        """Overwrite every sample with zero and hold nothing; the next sample has the index `to`."""
        self._samples.fill(0)
        self.tail = self.head = to
