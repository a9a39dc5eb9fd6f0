"""Where the words of a sound are whose text is known: PocketSphinx is made to hear exactly that text."""

from __future__ import annotations

from functools import cache
from typing import Any

from sim.cloud.sphinx_recognizer import FRAME, hear, new_decoder
from sim.errors import RecognizerError
from sim.speech.words import Word, even_words, words_of
from wakeword.errors import EngineMissing
from wakeword.pronunciation import Pronouncer, spoken_words
from wakeword.sound import Samples


def aligned_words(text: str, samples: Samples) -> tuple[Word, ...]:
    """The words of ``text`` in int16[n]; by the length of their spelling where they cannot be aligned."""
    words = words_of(text)
    spoken = [spoken_words(word) for word in words]
    try:
        found = _heard(tuple(part for parts in spoken for part in parts), samples) if samples.any() else []
    except (RecognizerError, EngineMissing):  # no PocketSphinx: on 64-bit Arm there is none for Python 3.12
        found = []
    if len(found) != sum(map(len, spoken)):
        return even_words(text, len(samples))
    ends = iter(found)
    placed = [(word, [next(ends) for _ in parts]) for word, parts in zip(words, spoken, strict=True)]
    return tuple((word, spans[0][0], min(spans[-1][1], len(samples))) for word, spans in placed if spans)


def _heard(words: tuple[str, ...], samples: Samples) -> list[tuple[int, int]]:
    """Begin and end of each word; fewer than there are where the decoder cannot bring them together."""
    decoder, pronouncer = _decoder(), _pronouncer()
    for word in words:
        if decoder.lookup_word(word) is None:
            decoder.add_word(word, " ".join(pronouncer.phones(word)), True)
    decoder.set_align_text(" ".join(words))
    hear(decoder, samples)
    segments = list(decoder.seg()) if decoder.hyp() is not None else []
    spans = [
        (segment.start_frame * FRAME, (segment.end_frame + 1) * FRAME)
        for segment in segments
        if segment.word[0] not in "<[("
    ]
    return spans if segments and segments[-1].end_frame * FRAME > 0.5 * len(samples) else []


@cache
def _decoder() -> Any:
    return new_decoder()


@cache
def _pronouncer() -> Pronouncer:
    return Pronouncer()
