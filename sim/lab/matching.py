"""Which wake answers which word: an optimal one-to-one matching.

Conventions
-----------
- Times are sample indices. A word is (begin, end), begin inclusive and end exclusive; words are in order and do not
  overlap. A wake is the end of the hop that decided it; wakes are in order.
- A wake may answer a word from the word's begin to `LATE` samples after its end: before it nothing of it was heard.
- Each wake answers at most one word and each word is answered by at most one wake. Of all matchings the one with the
  most pairs counts, and of those the one whose wakes come closest to the ends of their words in all.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from wakeword.sound import RATE

Span = tuple[int, int]

LATE = RATE
"""One second: the slowest engine here has decided by then, and the next word has hardly begun."""


def validate(words: Sequence[Span], wakes: Sequence[int], late: int = LATE) -> None:
    """Raise ValueError unless words and wakes are in order, words are not empty and do not overlap."""
    if late < 0:
        raise ValueError(f"a wake cannot be due {late} samples after a word")
    for begin, end in words:
        if begin < 0 or end <= begin:
            raise ValueError(f"a word must end after it begins, at 0 or later, not be {begin} to {end}")
    for (_, end), (begin, _) in itertools.pairwise(words):
        if begin < end:
            raise ValueError(f"words must be in order and not overlap; one begins at {begin} and one ends at {end}")
    if any(later < earlier for earlier, later in itertools.pairwise(wakes)):
        raise ValueError("wakes must be in order of time")


def match(words: Sequence[Span], wakes: Sequence[int], late: int = LATE) -> list[tuple[int, int]]:
    """Pairs (index of word, index of wake) of the optimal matching, in order. Raises ValueError as `validate` does.

    As neither words nor their deadlines ever cross, some optimal matching does not cross either, and dynamic
    programming over both in order finds it in O(words * wakes).
    """
    validate(words, wakes, late)
    best: list[list[tuple[int, int]]] = [[(0, 0)] * (len(wakes) + 1)]
    for begin, end in words:
        row, above = [(0, 0)], best[-1]
        for column, wake in enumerate(wakes):
            found = max(above[column + 1], row[column])
            if begin <= wake <= end + late:
                pairs, closeness = above[column]
                found = max(found, (pairs + 1, closeness - abs(wake - end)))
            row.append(found)
        best.append(row)
    return _trace(best)


def _trace(best: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    row, column = len(best) - 1, len(best[0]) - 1
    while row and column:
        if best[row][column] == best[row - 1][column]:
            row -= 1
        elif best[row][column] == best[row][column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            pairs.append((row, column))
    return pairs[::-1]
