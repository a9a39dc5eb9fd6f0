"""PocketSphinx, whose wheel carries a model of American English. The only file that imports it."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from sim.cloud.transcript import Transcript, Word
from sim.errors import RecognizerError
from wakeword.sound import RATE

FRAME = RATE // 100
"""Samples to a frame of its word times."""

SHORTEST = 1600
"""Fewer samples (0.1 s) hold no word, and PocketSphinx is not asked."""


class SphinxRecognizer:
    """PocketSphinx with its own model; loads in about 0.3 s. Raises RecognizerError if it is not installed."""

    name = "pocketsphinx"

    def __init__(self) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError:
            raise RecognizerError(
                "pocketsphinx is not installed; install it with: pip install pocketsphinx, or use vosk"
            ) from None
        self._decoder = Decoder(samprate=RATE, loglevel="FATAL")

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        """See `Recognizer.transcribe`."""
        if len(samples) < SHORTEST:
            return Transcript.of((), self.name)
        decoder = self._decoder
        # Its estimate of the noise and of the cepstral mean would carry over from the clip before.
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(samples.astype("<i2").tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        segments = decoder.seg() if decoder.hyp() is not None else ()
        words = tuple(
            Word(
                re.sub(r"\(\d+\)$", "", segment.word),  # second and further pronunciations are numbered
                segment.start_frame * FRAME,
                min((segment.end_frame + 1) * FRAME, len(samples)),
                min(1.0, float(segment.prob)),
            )
            for segment in segments
            if segment.word[0] not in "<[+"  # silence and noises
        )
        return Transcript.of(words, self.name)
