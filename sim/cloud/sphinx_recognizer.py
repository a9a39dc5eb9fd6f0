"""PocketSphinx, whose wheel carries a model of American English. The only file that imports it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.cloud.ears import Decoded
from sim.cloud.transcript import Word
from sim.errors import RecognizerError
from wakeword.sound import RATE

FRAME = RATE // 100
"""Samples to a frame of its word times."""

SHORTEST = 1600
"""Fewer samples (0.1 s) hold no word, and PocketSphinx is not asked."""

_GUESSES = 20
"""Paths of the lattice looked at for each alternative: most differ in pronunciations and silences alone."""


class SphinxEngine:
    """PocketSphinx with its own model; loads in about 0.3 s. Raises RecognizerError if it is not installed.

    A stretch of speech is kept until it is over, and decoded then: its cepstral mean is taken over all of it. Decoding
    as the samples come, with a mean that follows, costs words: of flite's, 31 % are wrong instead of 23 %.
    """

    name = "pocketsphinx"

    def __init__(self, alternatives: int = 0) -> None:
        self._alternatives = alternatives
        self._decoder = new_decoder()

    def decode(self) -> _Stretch:
        """See `sim.cloud.ears.Engine`."""
        return _Stretch(self._decoder, self._alternatives)


class _Stretch:
    def __init__(self, decoder: Any, alternatives: int) -> None:
        self._decoder, self._alternatives = decoder, alternatives
        self._pieces: list[NDArray[np.int16]] = []

    def push(self, samples: NDArray[np.int16]) -> None:
        self._pieces.append(samples)

    def finish(self) -> Decoded:
        samples = np.concatenate(self._pieces)
        if len(samples) < SHORTEST:
            return Decoded(())
        hear(self._decoder, samples)
        if self._decoder.hyp() is None:
            return Decoded(())
        words = tuple(
            Word(
                _plain(segment.word),
                segment.start_frame * FRAME,
                min((segment.end_frame + 1) * FRAME, len(samples)),
                min(1.0, float(segment.prob)),  # the posterior in the lattice; rounding takes it over 1
            )
            for segment in self._decoder.seg()
            if _is_word(segment.word)
        )
        return Decoded(words, tuple(islice(self._others(" ".join(word.text for word in words)), self._alternatives)))

    def _others(self, text: str) -> Iterator[str]:
        seen = {text, ""}
        if not self._alternatives:
            return
        for guess in islice(self._decoder.nbest(), self._alternatives * _GUESSES):
            other = "" if guess is None else " ".join(_plain(word) for word in guess.hypstr.split() if _is_word(word))
            if other not in seen:
                seen.add(other)
                yield other


def new_decoder(**config: object) -> Any:
    """A decoder with its own model of English, and ``config`` as in its documentation; raises RecognizerError."""
    try:
        from pocketsphinx import Decoder
    except ImportError:
        raise RecognizerError(
            "pocketsphinx is not installed; install it with: pip install pocketsphinx, or use vosk"
        ) from None
    return Decoder(samprate=RATE, loglevel="FATAL", **config)


def hear(decoder: Any, samples: NDArray[np.int16]) -> None:
    """Let a decoder hear int16[n] as a whole, with no memory of what it heard before."""
    # Its estimate of the noise and of the cepstral mean would carry over from the clip before.
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(samples.astype("<i2").tobytes(), no_search=False, full_utt=True)
    decoder.end_utt()


def _plain(word: str) -> str:
    """Second and further pronunciations are numbered."""
    return re.sub(r"\(\d+\)$", "", word)


def _is_word(word: str) -> bool:
    return word[0] not in "<[+"  # silence and noises
