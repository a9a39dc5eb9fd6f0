"""The grid on which everything from samples to scores lies."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import SoundError
from wakeword.sound import RATE, Samples

Scalar = TypeVar("Scalar", bound=np.generic)

HOP = 1280
"""Samples a hop: 80 ms, the step at which openWakeWord's features and scores come."""

FRAME_STEP = 160
"""Samples between two mel frames, 10 ms."""

FRAMES_PER_HOP = HOP // FRAME_STEP

HISTORY = 480
"""Samples before a hop that its mel frames also see: eight 512-sample frames reach 480 samples further back."""

MEL_BANDS = 32
EMBEDDING = 96
"""Values in one embedding; one embedding comes a hop."""

WINDOW_FRAMES = 76
"""Mel frames that one embedding sees, 775 ms of sound."""


def as_samples(samples: Samples) -> Samples:
    """Check that these are mono int16 samples and return them; raises SoundError otherwise."""
    if not isinstance(samples, np.ndarray) or samples.dtype != np.int16 or samples.ndim != 1:
        kind = f"{samples.dtype}{list(samples.shape)}" if isinstance(samples, np.ndarray) else type(samples).__name__
        raise SoundError(f"samples must be int16[n], mono at {RATE} Hz, not {kind}")
    return samples


def as_hops(samples: Samples) -> Samples:
    """Check and shape int16[k * 1280] to int16[k, 1280]; raises SoundError for anything but whole hops."""
    if len(as_samples(samples)) % HOP:
        raise SoundError(f"a hop is {HOP} samples; {len(samples)} samples are not whole hops")
    return samples.reshape(-1, HOP)


def as_hop(samples: Samples) -> Samples:
    """Check that this is one hop, int16[1280], and return it; raises SoundError otherwise."""
    if len(as_samples(samples)) != HOP:
        raise SoundError(f"a hop is {HOP} samples, not {len(samples)}")
    return samples


def whole_hops(samples: Samples) -> Samples:
    """The whole hops of int16[n], without the rest at the end."""
    return as_samples(samples)[: len(samples) // HOP * HOP]


def rolling(values: NDArray[Scalar], size: int, step: int) -> NDArray[Scalar]:
    """Views of `size` values in a row, `step` apart, along the first axis of a contiguous array: [n, size, ...].

    What numpy's sliding_window_view gives; but that takes 20 us, which counts in a hop of 300.
    """
    shape = ((len(values) - size) // step + 1, size, *values.shape[1:])
    strides = (step * values.strides[0], *values.strides)
    return np.ndarray(shape, values.dtype, values, 0, strides)
