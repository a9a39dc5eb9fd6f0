"""How like heard words are to a phrase, by sound and by spelling, and how like they must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from wakeword.phonetics import Patterns, Phones, Pronouncer, Spot, Where
from wakeword.pronunciation import spoken_words

_FULL_PHONES = 8
"""From this length on a phrase need only be as like as the profile says: shorter ones resemble everything."""

_WORTH_SPELLING = 0.5
"""Likeness of sound under which letters are not compared, unless they could still make a phrase fit."""


@dataclass(frozen=True)
class Words:
    """Heard words as they are compared: lower case, one by one, each with its pronunciations.

    places: of which of the recognizer's words each one is, by number.
    """

    words: tuple[str, ...]
    phones: tuple[tuple[Phones, ...], ...]
    places: tuple[int, ...]

    @classmethod
    def of(cls, words: Sequence[str], pronouncer: Pronouncer) -> Words:
        """Take words as a recognizer writes them."""
        each = [(part, place) for place, word in enumerate(words) for part in spoken_words(word)]
        phones = tuple(pronouncer.word(word) for word, _ in each)
        return cls(tuple(word for word, _ in each), phones, tuple(place for _, place in each))

    def cut(self, begin: int, end: int | None = None) -> Words:
        """Give the words from `begin` to `end` (exclusive)."""
        return Words(self.words[begin:end], self.phones[begin:end], self.places[begin:end])

    def __len__(self) -> int:
        return len(self.words)

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True)
class Found:
    """A phrase in heard words `begin` to `end` (exclusive): how like (0 to 1), by what, and how like it had to be.

    length: how many phones the phrase has.
    """

    phrase: int
    length: int
    begin: int
    end: int
    score: float
    sound: float
    spelling: float
    needed: float

    def evidence(self, threshold: float) -> float:
        """How much speaks for the phrase, in phones: its likeness over the threshold, times its length."""
        return round((self.score - threshold) * self.length, 6)

    @property
    def fits(self) -> bool:
        """Whether the words are taken for the phrase."""
        return self.score >= self.needed


class Phrases:
    """Phrases to be looked for in heard words, all at once."""

    def __init__(self, phrases: Sequence[str], pronouncer: Pronouncer) -> None:
        self.texts = tuple(" ".join(spoken_words(phrase)) for phrase in phrases)
        pronounced = [pronouncer.phones(phrase) for phrase in phrases]
        self.lengths = tuple(map(len, pronounced))
        self._patterns = Patterns(pronounced)

    def find(self, heard: Words, where: Where, threshold: float, sound_share: float) -> list[Found]:
        """Where each phrase is, in the order of the phrases, also where it does not fit: see `Found.fits`.

        threshold: the likeness that phrases of eight phones or more need. sound_share: how much of a likeness is sound;
        the rest is spelling (the normalised indel similarity of the letters).
        """
        spots = self._patterns.spot(heard.phones, where)
        return [self._found(n, spot, heard, threshold, sound_share) for n, spot in enumerate(spots)]

    def _found(self, number: int, spot: Spot, heard: Words, threshold: float, sound_share: float) -> Found:
        needed = needed_likeness(threshold, self.lengths[number])
        spelling = 0.0
        if spot.score >= _WORTH_SPELLING or sound_share * spot.score + (1 - sound_share) >= needed:
            spelling = fuzz.ratio(self.texts[number], str(heard.cut(spot.begin, spot.end))) / 100
        score = round(sound_share * spot.score + (1 - sound_share) * spelling, 4)
        sound, spelt = round(spot.score, 4), round(spelling, 4)
        return Found(number, self.lengths[number], spot.begin, spot.end, score, sound, spelt, needed)


def needed_likeness(threshold: float, phones: int) -> float:
    """What a phrase of so many phones needs: of its allowed unlikeness a short one gets its share of eight phones."""
    return round(1 - (1 - threshold) * min(1.0, phones / _FULL_PHONES), 4)
