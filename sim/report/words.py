"""What was said beside what was heard: the fewest words that must differ, by dynamic programming."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CUT = "…"
"""Stands where a line was cut by the begin or end of a clip."""


@dataclass(frozen=True)
class Comparison:
    """Words in order, each with whether it found its counterpart; `errors`: substituted, missed and invented words."""

    said: tuple[tuple[str, bool], ...]
    heard: tuple[tuple[str, bool], ...]
    errors: int

    @property
    def whole(self) -> bool:
        """Whether all that was said lies in the clip, so that the errors can be counted against it."""
        return all(word != CUT for word, _ in self.said)


Pair = tuple[int | None, int | None]
"""A word said and a word heard, by their places; None where one has no counterpart."""


def compare(said: str, heard: str) -> Comparison:
    """Align two texts word by word; case and punctuation do not count."""
    left, right = said.split(), heard.split()
    rows = [place for place, word in enumerate(left) if bare(word)]
    columns = [place for place, word in enumerate(right) if bare(word)]
    found = pair([left[place] for place in rows], [right[place] for place in columns])
    same = [(row, column) for row, column in found if None not in (row, column)]
    same_left, same_right = set(range(len(left))) - set(rows), set(range(len(right))) - set(columns)
    for row, column in same:
        if row is not None and column is not None and bare(left[rows[row]]) == bare(right[columns[column]]):
            same_left.add(rows[row])
            same_right.add(columns[column])
    return Comparison(
        tuple((word, place in same_left) for place, word in enumerate(left)),
        tuple((word, place in same_right) for place, word in enumerate(right)),
        len(found) - (len(same_left) - (len(left) - len(rows))),
    )


def pair(said: Sequence[str], heard: Sequence[str], apart: Callable[[int, int], bool] | None = None) -> list[Pair]:
    """Pair the words so that the fewest differ; words that lie `apart` in time, by their places, are no pair.

    Ties are broken for a substitution, then for a missed word.
    """
    left, right = [bare(word) for word in said], [bare(word) for word in heard]
    swap = np.array([[float(word != other) for other in right] for word in left]).reshape(len(left), len(right))
    if apart is not None:
        for row, column in np.ndindex(swap.shape):
            swap[row, column] += 2.0 * apart(row, column)
    cost = _costs(swap)
    row, column = swap.shape
    found: list[Pair] = []
    while row and column:
        if cost[row, column] == cost[row - 1, column - 1] + swap[row - 1, column - 1]:
            row, column = row - 1, column - 1
            found.append((row, column))
        elif cost[row, column] == cost[row - 1, column] + 1:
            row -= 1
            found.append((row, None))
        else:
            column -= 1
            found.append((None, column))
    found += [(place, None) for place in range(row - 1, -1, -1)]
    found += [(None, place) for place in range(column - 1, -1, -1)]
    return found[::-1]


def bare(word: str) -> str:
    """A word without case and punctuation, as words are compared."""
    return "".join(letter for letter in word.casefold() if letter.isalnum())


def _costs(swap: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levenshtein distance of every two beginnings, [rows + 1, columns + 1]; `swap` is what each substitution costs."""
    cost = np.zeros((swap.shape[0] + 1, swap.shape[1] + 1))
    cost[:, 0], cost[0, :] = np.arange(swap.shape[0] + 1), np.arange(swap.shape[1] + 1)
    for row, column in np.ndindex(swap.shape):
        least = min(cost[row, column + 1], cost[row + 1, column]) + 1
        cost[row + 1, column + 1] = min(cost[row, column] + swap[row, column], least)
    return cost
