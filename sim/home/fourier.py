"""Fourier transforms that stay in single precision (NumPy's do from 2.0 on; its type hints do not know it). Pure.

NumPy's transforms are compiled for each processor: the same machine gives the same bits every time, another kind of
processor may differ in the last ones, which mostly vanish as sound becomes int16.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.home.levels import Sound

Spectrum = NDArray[np.complex64]


def spectrum_of(sound: Sound, size: int) -> Spectrum:
    """float32[n], n <= size, filled up with silence -> complex64[size // 2 + 1]."""
    return np.fft.rfft(sound, size).astype(np.complex64, copy=False)


def sound_of(spectrum: Spectrum, size: int) -> Sound:
    """complex64[size // 2 + 1] -> float32[size]."""
    return np.fft.irfft(spectrum, size).astype(np.float32, copy=False)


def convolved(one: Sound, other: Sound) -> Sound:
    """The whole of it: float32[n + m - 1]."""
    n = len(one) + len(other) - 1
    size = 1 << (n - 1).bit_length()
    return sound_of(spectrum_of(one, size) * spectrum_of(other, size), size)[:n]
