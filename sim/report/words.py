"""What was said beside what was heard: the fewest words that must differ, by dynamic programming."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


def compare(said: str, heard: str) -> Comparison:
    """Align two texts word by word; case and punctuation do not count.

    Ties are broken for a substitution, then for a missed word.
    """
    left, right = said.split(), heard.split()
    rows = [place for place, word in enumerate(left) if _bare(word)]
    columns = [place for place, word in enumerate(right) if _bare(word)]
    cost = _costs([_bare(left[place]) for place in rows], [_bare(right[place]) for place in columns])
    same_left, same_right = set(range(len(left))) - set(rows), set(range(len(right))) - set(columns)
    row, column = len(rows), len(columns)
    while row and column:
        same = _bare(left[rows[row - 1]]) == _bare(right[columns[column - 1]])
        if cost[row, column] == cost[row - 1, column - 1] + (not same):
            row, column = row - 1, column - 1
            if same:
                same_left.add(rows[row])
                same_right.add(columns[column])
        elif cost[row, column] == cost[row - 1, column] + 1:
            row -= 1
        else:
            column -= 1
    return Comparison(
        tuple((word, place in same_left) for place, word in enumerate(left)),
        tuple((word, place in same_right) for place, word in enumerate(right)),
        int(cost[-1, -1]),
    )


def _bare(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())


def _costs(left: list[str], right: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Levenshtein distance of every two beginnings, [len(left) + 1, len(right) + 1]."""
    cost = np.zeros((len(left) + 1, len(right) + 1), np.int64)
    cost[:, 0], cost[0, :] = np.arange(len(left) + 1), np.arange(len(right) + 1)
    for row, word in enumerate(left, 1):
        for column, other in enumerate(right, 1):
            swap = cost[row - 1, column - 1] + (word != other)
            cost[row, column] = min(swap, cost[row - 1, column] + 1, cost[row, column - 1] + 1)
    return cost
