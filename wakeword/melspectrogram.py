"""openWakeWord's log-mel front end, as two small matrix products instead of two convolutions of 257 channels."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from wakeword.frames import FRAME_STEP, FRAMES_PER_HOP, MEL_BANDS
from wakeword.models import ModelFile

_FFT = 512
_CENTRE = _FFT // 2
_FLOOR = np.float32(1e-10)
SILENCE = np.float32(-8.0)
"""The value of every band in digital silence: log10 of the floor of the power, plus 2."""


class Melspectrogram:
    """Log-mel frames as the wake-word models want them.

    The front end is a Hann-windowed 512-point DFT every 160 samples, a 32-band matrix and log10, floored 8 (80 dB)
    below the loudest value **of the same hop** (openWakeWord calls its model hop by hop), plus 2. The window is
    symmetric about sample 256, so the real part of the DFT needs only the even half of a frame and the imaginary
    part only the odd half; and of its 257 bins the filters read 120. The power, which is all that is used, does not
    depend on where the DFT counts its phase from.
    """

    def __init__(self, constants: bytes) -> None:
        with np.load(io.BytesIO(constants)) as arrays:
            window, filters = arrays["window"], arrays["filters"]
        reach = int(np.flatnonzero(window)[-1]) - _CENTRE + 1
        bins = np.flatnonzero(filters.any(axis=1))
        angle = 2.0 * np.pi / _FFT * np.outer(np.arange(reach), bins)
        half = window[_CENTRE : _CENTRE + reach, None].astype(np.float64)
        self._reach = reach
        self._cosines = (half * np.cos(angle)).astype(np.float32)
        self._sines = (half * np.sin(angle)).astype(np.float32)
        self._filters = np.ascontiguousarray(filters[bins])

    def frames(self, hops: NDArray[np.int16]) -> NDArray[np.float32]:
        """int16[h, 1760], each hop's 1280 samples behind the 480 before them -> float32[8 h, 32]."""
        sound = hops.astype(np.float32)
        size, line = sound.itemsize, sound.strides[0]
        shape = (len(sound), FRAMES_PER_HOP, _FFT)
        windows: NDArray[np.float32] = np.ndarray(shape, np.float32, sound, 0, (line, FRAME_STEP * size, size))
        after = windows[:, :, _CENTRE : _CENTRE + self._reach]
        before = windows[:, :, _CENTRE : _CENTRE - self._reach : -1]
        even = after + before
        even[..., 0] = after[..., 0]
        odd = after - before
        rows = len(hops) * FRAMES_PER_HOP
        real = even.reshape(rows, -1) @ self._cosines
        imaginary = odd.reshape(rows, -1) @ self._sines
        power = (real * real + imaginary * imaginary) @ self._filters
        level = np.log10(np.maximum(power, _FLOOR)).reshape(len(hops), FRAMES_PER_HOP, MEL_BANDS)
        level = np.maximum(level, level.max(axis=(1, 2), keepdims=True) - np.float32(8.0))
        frames: NDArray[np.float32] = (level + np.float32(2.0)).reshape(rows, MEL_BANDS)
        return frames


def load_melspectrogram(model: ModelFile) -> Melspectrogram:
    """The front end with the window and the filters of openWakeWord's own model."""
    from wakeword.derived import derived

    def derive(data: bytes) -> bytes:
        from wakeword.graphs import mel_constants

        return mel_constants(data)

    return Melspectrogram(derived(model, "mel", derive))
