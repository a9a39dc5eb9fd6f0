"""PocketSphinx's keyphrase search: how well a phrase fits a stretch of sound, against a loop of phones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.cloud.sphinx_recognizer import FRAME, hear, new_decoder

_LATE = 3200
"""Samples after the span at which the phrase may still begin: where the word was is an estimate."""


class Keyphrase:
    """One phrase. ``known``: its words are in PocketSphinx's dictionary; where not, it fits nothing."""

    def __init__(self, phrase: str) -> None:
        # No threshold that matters (the lowest fit is of interest too), and no language model.
        self._decoder = new_decoder(lm=None, kws_threshold=1e-60, kws_delay=10)
        self.known = all(self._decoder.lookup_word(word) is not None for word in phrase.split())
        if self.known:
            self._decoder.add_keyphrase("phrase", phrase)
            self._decoder.activate_search("phrase")

    def fit(self, samples: NDArray[np.int16], begin: int, end: int) -> float:
        """From 0 to 1, the best in int16[n] about the samples ``begin`` to ``end``."""
        if not self.known or not len(samples):
            return 0.0
        hear(self._decoder, samples)
        if self._decoder.hyp() is None:
            return 0.0
        places = ((found.prob, found.start_frame * FRAME, found.end_frame * FRAME) for found in self._decoder.seg())
        near = (prob for prob, first, last in places if first < end + _LATE and last > begin)
        return min(1.0, max(near, default=0.0))
