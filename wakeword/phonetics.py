"""Likeness of sound: how unlike two pronunciations are, which words are near one, and where one was heard.

A distance is a sum of whole hundredths (`wakeword.phones`); a likeness is 1 for the same sounds, 0 for none in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wakeword.phones import CODES, OMISSION, PAD, SUBSTITUTION, Phones
from wakeword.pronunciation import Pronouncer

__all__ = ["Lexicon", "Patterns", "Phones", "Pronouncer", "Spot", "Where", "distance", "likeness", "weight"]

Where = Literal["anywhere", "begin", "whole"]
"""What of the heard words a pattern is laid against: any stretch, one from the first word on, or all of them."""

_BROKEN_WORD = 45
"""What it costs a stretch to begin, or to end, within a word."""
_SHIFT = 16
"""A key is a cost and, in its low bits, where a stretch begins: the smaller of two is the cheaper, then the shorter."""
_LOW = (1 << _SHIFT) - 1
_NEVER = 1 << 40
_TILE = 16_384


def weight(phones: Phones) -> int:
    """The distance of a pronunciation from silence."""
    return int(OMISSION[_codes(phones)].sum())


def distance(one: Phones, other: Phones) -> int:
    """The cheapest way to make one of the other by leaving out, putting in and replacing phones; symmetric."""
    return int(Lexicon.of([other]).distances(one)[0])


def likeness(one: Phones, other: Phones) -> float:
    """From 0 to 1: one less the distance, as a share of the heavier one's weight."""
    heavier = max(weight(one), weight(other))
    return 1.0 if not heavier else max(0.0, 1 - distance(one, other) / heavier)


class Lexicon:
    """Pronunciations to be ranked all at once: a dictionary of 130,000 takes less than a second."""

    def __init__(self, entries: Iterable[tuple[str, Phones]]) -> None:
        """Take words with their pronunciations; a word may come several times."""
        pairs = list(entries)
        self.words = tuple(word for word, _ in pairs)
        self.phones = tuple(phones for _, phones in pairs)
        self._weights = np.array([weight(phones) for phones in self.phones], np.int64)
        by_length = sorted(range(len(pairs)), key=lambda n: len(self.phones[n]))
        self._tiles = [
            (np.array(tile, np.intp), _table([self.phones[n] for n in tile]))
            for tile in (by_length[n : n + _TILE] for n in range(0, len(by_length), _TILE))
        ]

    @classmethod
    def of(cls, phones: Iterable[Phones]) -> Lexicon:
        """Take pronunciations that have no words."""
        return cls(("", each) for each in phones)

    def distances(self, phones: Phones) -> NDArray[np.int64]:
        """int64[n]: how far each entry is from this pronunciation."""
        found = np.zeros(len(self.words), np.int64)
        for places, table in self._tiles:
            found[places] = _distances(phones, table)
        return found

    def likenesses(self, phones: Phones) -> NDArray[np.float64]:
        """float64[n]: how like each entry is to this pronunciation, 0 to 1."""
        heavier = np.maximum(np.maximum(self._weights, weight(phones)), 1)
        return np.asarray(np.maximum(0.0, 1 - self.distances(phones) / heavier), np.float64)

    def nearest(self, phones: Phones, n: int) -> list[tuple[str, float]]:
        """The n entries most like this pronunciation, each with its likeness; equal ones in the order they came."""
        likenesses = self.likenesses(phones)
        order = np.argsort(-likenesses, kind="stable")[:n]
        return [(self.words[place], float(likenesses[place])) for place in order]


@dataclass(frozen=True)
class Spot:
    """A stretch of heard words, `begin` to `end` (exclusive), and how like it is to the pattern, 0 to 1."""

    begin: int
    end: int
    score: float


class Patterns:
    """Pronunciations to be looked for in what was heard, all at once."""

    def __init__(self, patterns: Sequence[Phones]) -> None:
        self._patterns = tuple(patterns)
        self._table = _table(self._patterns)
        omitted = np.cumsum(OMISSION[self._table], axis=1) << _SHIFT
        self._omitted = np.concatenate([np.zeros((len(patterns), 1), np.int64), omitted], axis=1)
        self._weights = np.maximum(1, self._omitted[:, -1] >> _SHIFT)

    def spot(self, words: Sequence[Sequence[Phones]], where: Where = "anywhere") -> list[Spot]:
        """For each pattern the stretch of words most like it: the shortest, then the first of equal ones.

        ``words``: the pronunciations of each heard word. A stretch may begin or end within a word, at a price; the
        word belongs to it then. With no words, or for a pattern of no phones, the score is 0.
        """
        best = np.full(len(self._patterns), _NEVER << _SHIFT, np.int64)
        ends = np.zeros(len(self._patterns), np.intp)
        column = self._opened(0)
        for number, word in enumerate(words):
            column, within = self._heard(column, word, number, where == "anywhere")
            if where != "whole":
                _keep(best, ends, within + (_BROKEN_WORD << _SHIFT), number + 1)
                _keep(best, ends, column[:, -1], number + 1)
            if where == "anywhere":
                column = np.minimum(column, self._opened(number + 1))
        if where == "whole":
            _keep(best, ends, column[:, -1], len(words))
        begins = (best & _LOW) ^ _LOW
        scores = np.where(self._omitted[:, -1] > 0, 1 - (best >> _SHIFT) / self._weights, 0.0)
        return [
            Spot(int(begin), int(end), max(0.0, float(score))) if end and score > 0 else Spot(0, 0, 0.0)
            for begin, end, score in zip(begins, ends, scores, strict=True)
        ]

    def _opened(self, word: int, price: int = 0) -> NDArray[np.int64]:
        """int64[patterns, length + 1]: the keys of a stretch that begins here, with so much of the pattern left out."""
        return self._omitted + (price << _SHIFT) + (word ^ _LOW)

    def _heard(
        self, before: NDArray[np.int64], word: Sequence[Phones], number: int, anywhere: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give the keys after a word, and, for each pattern, the least of those within it."""
        after = np.full_like(before, _NEVER << _SHIFT)
        within = np.full(len(self._patterns), _NEVER << _SHIFT, np.int64)
        for phones in word:
            column = before
            for place, code in enumerate(_codes(phones)):
                if place:
                    within = np.minimum(within, column[:, -1])
                    if anywhere:
                        column = np.minimum(column, self._opened(number, _BROKEN_WORD))
                put_in = column + (OMISSION[code] << _SHIFT)
                replaced = column[:, :-1] + (SUBSTITUTION[code][self._table] << _SHIFT)
                put_in[:, 1:] = np.minimum(put_in[:, 1:], replaced)
                column = self._omitted + np.minimum.accumulate(put_in - self._omitted, axis=1)
            after = np.minimum(after, column)
        return after, within


def _keep(best: NDArray[np.int64], ends: NDArray[np.intp], found: NDArray[np.int64], end: int) -> None:
    better = found < best
    best[better] = found[better]
    ends[better] = end


def _codes(phones: Phones) -> NDArray[np.intp]:
    return np.array([CODES[phone] for phone in phones], np.intp)


def _table(patterns: Sequence[Phones]) -> NDArray[np.intp]:
    """intp[n, longest]: the codes of each, filled up at the end."""
    table = np.full((len(patterns), max(map(len, patterns), default=0)), PAD, np.intp)
    for row, phones in enumerate(patterns):
        table[row, : len(phones)] = _codes(phones)
    return table


def _distances(phones: Phones, table: NDArray[np.intp]) -> NDArray[np.int64]:
    """int64[n]: the weighted edit distance of each row from ``phones``, a column of all rows at a time."""
    put_in = np.concatenate([np.zeros((len(table), 1), np.int64), np.cumsum(OMISSION[table], axis=1)], axis=1)
    column = put_in
    for code in _codes(phones):
        left_out = column + OMISSION[code]
        left_out[:, 1:] = np.minimum(left_out[:, 1:], column[:, :-1] + SUBSTITUTION[code][table])
        column = put_in + np.minimum.accumulate(left_out - put_in, axis=1)
    return np.asarray(column[:, -1], np.int64)
