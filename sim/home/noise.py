"""Pink noise that can be had from anywhere: sample n of a stream is the same however one comes to it."""

from __future__ import annotations

from functools import cache

import numpy as np

from sim.home.fourier import Spectrum, sound_of, spectrum_of
from sim.home.levels import Sound
from wakeword.sound import RATE

FROM_HZ = 20.0
"""Under this the noise is white: a 1/f spectrum has no end, a microphone has."""

TAPS = 4096
BLOCK = 32_768 - TAPS
_SIZE = TAPS + BLOCK


class PinkNoise:
    """An endless stream of float32 with power falling by 3 dB an octave and an RMS of 1.

    White blocks come from the seed and their number, and one filter makes them pink.
    """

    def __init__(self, *seed: int) -> None:
        self._seed = seed
        self._blocks: dict[int, Sound] = {}

    def between(self, begin: int, end: int) -> Sound:
        """Samples ``begin`` to ``end`` of the stream, 0 <= begin < end."""
        first, last = begin // BLOCK, (end - 1) // BLOCK
        self._blocks = {number: block for number, block in self._blocks.items() if number >= first - 1}
        pieces = [
            self._block(number)[max(begin - number * BLOCK, 0) : end - number * BLOCK]
            for number in range(first, last + 1)
        ]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _block(self, number: int) -> Sound:
        if number not in self._blocks:
            white = np.concatenate([self._white(number)[-TAPS:], self._white(number + 1)])
            self._blocks[number] = sound_of(spectrum_of(white, _SIZE) * _filter(), _SIZE)[TAPS:]
        return self._blocks[number]

    def _white(self, number: int) -> Sound:
        return np.random.default_rng([*self._seed, number]).standard_normal(BLOCK, np.float32)


@cache
def _filter() -> Spectrum:
    """The spectrum, over a block and its past, of taps whose power falls as 1/f and is 1 in all."""
    taps = np.fft.irfft(1.0 / np.sqrt(np.maximum(np.fft.rfftfreq(TAPS, 1.0 / RATE), FROM_HZ)), TAPS)
    taps = np.roll(taps, TAPS // 2) * np.hanning(TAPS + 1)[:TAPS]
    taps -= np.mean(taps)
    taps /= np.sqrt(np.sum(taps**2))
    return spectrum_of(taps.astype(np.float32), _SIZE)
