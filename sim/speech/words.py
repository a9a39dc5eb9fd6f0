"""Where in a sound its words are: from what the voice says of itself, or as good as the spelling tells. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Word = tuple[str, int, int]
"""A word and where it is: samples ``begin`` (inclusive) to ``end`` (exclusive) of its line."""

Phone = tuple[str, int, int]

_EDGES = re.compile(r"^\W+|\W+$")


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text as they are written, without what stands around them."""
    return tuple(word for word in (_EDGES.sub("", token) for token in text.split()) if word)


def even_words(text: str, n: int) -> tuple[Word, ...]:
    """The words of a text over ``n`` samples, each as long as it has letters: for sounds of which no more is known."""
    words = words_of(text)
    total = sum(map(len, words)) + max(len(words) - 1, 0)
    found: list[Word] = []
    at = 0
    for word in words:
        found.append((word, at * n // total, (at + len(word)) * n // total))
        at += len(word) + 1
    return tuple(found)


def by_phones(
    text: str, phones: Sequence[Phone], alone: Callable[[str], Sequence[str]], silence: str = "pau"
) -> tuple[Word, ...]:
    """The words of a text over its phones, which do not say of which word they are.

    ``alone`` gives the phones of a word that is said alone. They are laid along those of the whole by the fewest
    changes (Levenshtein), as words change their sounds in a sentence. Words of which nothing is left are left out.
    """
    words = words_of(text)
    expected = [(name, number) for number, word in enumerate(words) for name in alone(word) if name != silence]
    said = [phone for phone in phones if phone[0] != silence]
    ends: dict[int, tuple[int, int]] = {}
    for one, number in _pairs([name for name, _ in expected], [name for name, *_ in said]):
        word = expected[one][1]
        begin, end = said[number][1:]
        first, last = ends.get(word, (begin, end))
        ends[word] = (min(first, begin), max(last, end))
    return tuple((words[word], *ends[word]) for word in sorted(ends))


def _pairs(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """Indices that belong together in the cheapest alignment, also where the two differ there."""
    costs = [list(range(len(other) + 1))]
    for i, left in enumerate(one, 1):
        row = [i]
        for j, right in enumerate(other, 1):
            row.append(min(costs[-1][j - 1] + (left != right), costs[-1][j] + 1, row[-1] + 1))
        costs.append(row)
    pairs: list[tuple[int, int]] = []
    i, j = len(one), len(other)
    while i and j:
        if costs[i][j] == costs[i - 1][j - 1] + (one[i - 1] != other[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif costs[i][j] == costs[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]
