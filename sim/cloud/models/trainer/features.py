"""The features that Kaldi will compute when it decodes, computed the same way for training.

The only file that imports kaldi-native-fbank.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.errors import SimError
from wakeword.sound import RATE, Samples

SIZE = 40
"""Mel bands and cepstral coefficients: the full transform, nothing smoothed away."""

SHIFT = 160
"""Samples from frame to frame: frame k covers the samples 160 k to 160 k + 400."""

WINDOW = 400

LOW_HZ, HIGH_HZ = 20, -400
"""Edges of the mel bands; a negative one counts down from 8 kHz."""

MFCC_CONF = f"""\
--sample-frequency={RATE}
--use-energy=false
--num-mel-bins={SIZE}
--num-ceps={SIZE}
--low-freq={LOW_HZ}
--high-freq={HIGH_HZ}
--dither=0
"""
"""The same settings as Kaldi reads them from ``conf/mfcc.conf``."""


def mfcc(samples: Samples) -> NDArray[np.float32]:
    """Mel cepstra of int16[n] at 16 kHz: float32[(n - 400) // 160 + 1, 40]; n must be at least 400."""
    try:
        import kaldi_native_fbank as fbank
    except ImportError:
        raise SimError(
            "training needs the package kaldi-native-fbank; install it with: pip install kaldi-native-fbank"
        ) from None
    options = fbank.MfccOptions()
    options.frame_opts.samp_freq = RATE
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = SIZE
    options.mel_opts.low_freq = LOW_HZ
    options.mel_opts.high_freq = HIGH_HZ
    options.num_ceps = SIZE
    options.use_energy = False
    stream = fbank.OnlineMfcc(options)
    stream.accept_waveform(RATE, samples.astype(np.float32))
    stream.input_finished()
    return np.stack([stream.get_frame(index) for index in range(stream.num_frames_ready)])
