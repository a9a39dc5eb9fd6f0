"""The ways to look at a wake word again, each with the threshold that was measured for it.

Measured on what woke openWakeWord's `alexa`, clean, at 20 dB of pink noise and in rooms of 0.3 to 0.45 s: 119 times
"Alexa" by 39 people, 184 times by voices of flite and eSpeak NG inside sentences, and 337 times something else by such
voices. `docs/far-end.md` has the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from sim.cloud.ears import Decoded
from sim.cloud.keyphrase import Keyphrase
from sim.cloud.sphinx_recognizer import SphinxEngine
from sim.cloud.transcript import Word
from sim.cloud.verifier import Look, Opening
from sim.errors import RecognizerError
from wakeword.errors import EngineMissing, ModelError
from wakeword.frames import HOP
from wakeword.phonetics import Patterns
from wakeword.pronunciation import Pronouncer
from wakeword.scorer import Scorer, load_scorer

_BEFORE = 4000
"""Samples before the span at which the word may begin already: the device's place of it is an estimate."""


class RecognizerLook:
    """PocketSphinx: how well the word fits the sound, against what else was surely heard in its place.

    The keyphrase search weighs the word against a loop of phones, which says little of words that are like it; a long
    word that the free recognizer is sure of says more.
    """

    name = "recognizer"
    threshold = 0.4

    def __init__(self) -> None:
        self._engine = SphinxEngine()
        self._pronouncer = _pronouncer()
        self._phrases: dict[str, Keyphrase] = {}

    def score(self, opening: Opening) -> float | None:
        """See `Look`: the logistic function of the weighed sum."""
        phrase = self._phrases.setdefault(opening.word, Keyphrase(_spoken(opening.word)))
        if not phrase.known:
            return None
        fit = phrase.fit(opening.samples, opening.word_begin, opening.word_end)
        against = _against(_decode(self._engine, opening), opening, self._pronouncer)
        return 1 / (1 + math.exp(_MIDDLE - _WEIGHT * fit + against))


_WEIGHT, _MIDDLE = 80.0, 64.0
"""One phone of a word surely heard weighs as much as a little over a hundredth of the keyphrase's posterior."""
_FOR = 5.0
"""What it weighs that the wake word itself is in the free transcript."""
_OVERLAP = 3200
"""Samples (200 ms) that a word must share with the span to count."""


def _against(heard: Decoded, opening: Opening, pronouncer: Pronouncer) -> float:
    """The phones of the word that was surest heard where the wake word should be, each weighed by that sureness."""
    there = [word for word in heard.words if _overlap(word, opening) > _OVERLAP]
    if _spoken(opening.word) in " ".join(word.text for word in there):
        return -_FOR
    weights = (word.confidence * len(pronouncer.word(word.text)[0]) for word in there)
    return min(8.0, max(weights, default=0.0))


def _overlap(word: Word, opening: Opening) -> int:
    return min(word.end, opening.word_end) - max(word.begin, opening.word_begin)


class PhoneticLook:
    """How like the sound of any stretch of the free transcript, or of its alternatives, is to that of the word."""

    name = "phonetic"
    threshold = 0.42

    def __init__(self) -> None:
        self._engine = SphinxEngine(alternatives=10)
        self._pronouncer = _pronouncer()

    def score(self, opening: Opening) -> float | None:
        """See `Look`: the best likeness, of `wakeword.phonetics`."""
        heard = _decode(self._engine, opening)
        late = [word.text for word in heard.words if word.end > opening.word_begin - _BEFORE]
        pattern = Patterns([self._pronouncer.phones(_spoken(opening.word))])
        guesses = [late, *(text.split() for text in heard.alternatives)]
        spots = (pattern.spot([self._pronouncer.word(word) for word in words])[0] for words in guesses)
        return max(spot.score for spot in spots)


class EngineLook:
    """microWakeWord's model as a second opinion: its highest score about the word."""

    name = "engine"
    threshold = 0.5

    def __init__(self) -> None:
        self._scorers: dict[str, Scorer | None] = {}
        try:
            self._scorers["alexa"] = load_scorer("alexa", engine="micro")
        except EngineMissing as error:
            raise RecognizerError(str(error)) from None

    def score(self, opening: Opening) -> float | None:
        """See `Look`."""
        if opening.word not in self._scorers:
            try:
                self._scorers[opening.word] = load_scorer(opening.word, engine="micro")
            except ModelError:
                self._scorers[opening.word] = None
        scorer = self._scorers[opening.word]
        if scorer is None:
            return None
        scores = scorer.score(np.pad(opening.samples, (_SILENCE, 0)))
        return float(scores[(_SILENCE + opening.word_begin) // HOP :].max(initial=0.0))


_SILENCE = 8 * HOP
"""Samples of silence put before, in which the model warms up."""

LOOKS: Mapping[str, Callable[[], Look]] = {
    "recognizer": RecognizerLook,
    "phonetic": PhoneticLook,
    "engine": EngineLook,
}


def _decode(engine: SphinxEngine, opening: Opening) -> Decoded:
    decoding = engine.decode()
    decoding.push(opening.samples)
    return decoding.finish()


def _spoken(word: str) -> str:
    """The name of a model as it is said: ``hey_jarvis``."""
    return word.replace("_", " ").lower()


def _pronouncer() -> Pronouncer:
    try:
        return Pronouncer()
    except EngineMissing as error:
        raise RecognizerError(str(error)) from None
