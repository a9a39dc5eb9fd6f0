"""Sound on its way: what sounds is cut into blocks, and each block is laid into the near future of every listener."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sim.home.fourier import Spectrum, convolved, sound_of, spectrum_of
from sim.home.levels import Sound
from sim.home.paths import Paths, Spot

SIZES = (8192, 16_384, 32_768, 65_536, 131_072)
"""Lengths of the Fourier transforms; the smallest that is four times the longest response."""


@dataclass(frozen=True)
class Piece:
    """A stretch of sound 1 m from its source, from the sample ``begin`` on; ``prompt`` numbers the prompt it is of."""

    source: Spot
    begin: int
    dry: Sound
    prompt: int | None = None

    @property
    def end(self) -> int:
        """First sample after it."""
        return self.begin + len(self.dry)


class Air:
    """Convolves pieces with the responses to a few listeners. The order of the pieces decides the last bits."""

    def __init__(self, paths: Paths, sources: Sequence[Spot], listeners: Sequence[Spot]) -> None:
        self._paths, self._listeners = paths, tuple(listeners)
        longest = max(len(paths.between(source, listener)) for source in sources for listener in listeners)
        self._size = next((size for size in SIZES if size >= 4 * longest), SIZES[-1])
        self._block = self._size - longest + 1
        self._spectra: dict[tuple[Spot, Spot], tuple[Spectrum, int]] = {}
        self._coming = [_Coming() for _ in listeners]

    def add(self, piece: Piece) -> None:
        """Let it sound; its begin must not have been handed out yet."""
        for begin in range(0, len(piece.dry), self._block):
            dry = piece.dry[begin : begin + self._block]
            spectrum = spectrum_of(dry, self._size)
            for listener, coming in zip(self._listeners, self._coming, strict=True):
                response, length = self._response(piece.source, listener)
                heard = sound_of(spectrum * response, self._size)
                coming.add(piece.begin + begin, heard[: len(dry) + length - 1])

    def take(self, n: int) -> Iterator[Sound]:
        """The next ``n`` samples at each listener, in order."""
        for coming in self._coming:
            yield coming.take(n)

    def _response(self, source: Spot, listener: Spot) -> tuple[Spectrum, int]:
        key = (source, listener)
        if key not in self._spectra:
            response = self._paths.between(source, listener)
            self._spectra[key] = spectrum_of(response, self._size), len(response)
        return self._spectra[key]


class _Coming:
    """The near future of one listener: float32 from the next sample on."""

    def __init__(self) -> None:
        self._begin = 0
        self._sum: Sound = np.zeros(0, np.float32)

    def add(self, begin: int, heard: Sound) -> None:
        at = begin - self._begin
        if at + len(heard) > len(self._sum):
            self._sum = np.concatenate([self._sum, np.zeros(at + len(heard) - len(self._sum), np.float32)])
        self._sum[at : at + len(heard)] += heard

    def take(self, n: int) -> Sound:
        taken, self._sum = self._sum[:n], self._sum[n:]
        self._begin += n
        if len(taken) < n:
            taken = np.concatenate([taken, np.zeros(n - len(taken), np.float32)])
        return taken


def heard_at(paths: Paths, listener: Spot, pieces: Sequence[Piece], begin: int, end: int) -> Sound:
    """What arrives of some pieces at somebody from ``begin`` to ``end``: float32[end - begin]."""
    heard = np.zeros(end - begin, np.float32)
    for piece in pieces:
        response = paths.between(piece.source, listener)
        first, last = max(piece.begin, begin - len(response) + 1), min(piece.end, end)
        if first >= last:
            continue
        sound = convolved(piece.dry[first - piece.begin : last - piece.begin], response)
        into, out = max(first - begin, 0), max(begin - first, 0)
        sound = sound[out : out + len(heard) - into]
        heard[into : into + len(sound)] += sound
    return heard
