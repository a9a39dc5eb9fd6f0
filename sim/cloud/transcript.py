"""What was heard in a clip: words, each with its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A word and the samples ``begin`` to ``end`` (exclusive) of the clip in which it was heard.

    ``confidence``: 0 to 1, the recognizer's own posterior; different recognizers' do not compare.
    """

    text: str
    begin: int
    end: int
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """What was heard in one clip: its words in order, and ``text``, the same words with blanks between.

    ``alternatives``: what else it may have been, the likeliest first, none of them ``text``.
    """

    text: str
    words: tuple[Word, ...]
    recognizer: str
    alternatives: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: tuple[Word, ...], recognizer: str, alternatives: tuple[str, ...] = ()) -> Transcript:
        """The transcript that consists of ``words``."""
        return cls(" ".join(word.text for word in words), words, recognizer, alternatives)
