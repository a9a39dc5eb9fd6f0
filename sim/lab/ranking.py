"""Which words, and which pairs of words, come nearest to sounding like a wake word: the whole dictionary at once.

What is compared is any stretch of a candidate, as the wake word may come about in the middle of a longer one: "lexus"
is in "Alexis", and "accep" in "unacceptable". A distance is a weighted edit distance in whole hundredths
(`wakeword.phones`), plus `BREAK` for each end of the stretch that lies within a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wakeword.phones import CODES, OMISSION, PAD, SUBSTITUTION, Phones

BREAK = 20
"""What it costs that the stretch begins, or ends, within a word."""

RARITY = 40
"""What it costs a pair that a word is ten times as far down among the common words."""

FIRST, SECOND = 120, 4
"""How often a word may come first in pairs, which articles do, and second."""

_TILE = 16_384
_NEVER = 1 << 30

Costs = NDArray[np.int64]


class Candidate(NamedTuple):
    """Words, how they are pronounced, and how far from the wake word they are."""

    text: str
    phones: Phones
    distance: int


def rank(entries: Iterable[tuple[str, Phones]], target: Phones) -> list[Candidate]:
    """Words with their pronunciations, the nearest first, equal ones in the order they came; each word once."""
    pairs = [(word, phones) for word, phones in entries if phones]
    distances = Pronunciations([phones for _, phones in pairs]).distances(target)
    found: dict[str, Candidate] = {}
    for at in np.argsort(distances, kind="stable").tolist():
        word, phones = pairs[at]
        found.setdefault(word, Candidate(word, phones, int(distances[at])))
    return list(found.values())


def rank_pairs(words: Sequence[tuple[str, Phones]], target: Phones, n: int) -> list[Candidate]:
    """The n best pairs of words, the commonest of which come first in ``words``, that both have a part in it.

    Best is near and common: `RARITY` for each tenfold place of both words among the common ones is added to the
    distance, as nobody says "lacrosse uh". No word comes more than `FIRST` times first, or `SECOND` times second.
    """
    rarity = np.rint(RARITY * np.log10(np.arange(1, len(words) + 1))).astype(np.int64)
    begins = _at_the_end(_table([phones for _, phones in words]), target)[:, 1:-1]
    # What the second word has to bring, from its own beginning: the same of all turned round.
    ends = _at_the_end(_table([phones[::-1] for _, phones in words]), target[::-1])[:, ::-1][:, 1:-1]
    found: list[tuple[int, int, int, int]] = []
    for first, row in enumerate(begins):
        costs = np.min(row + ends, axis=1)
        keys = costs + rarity + rarity[first]
        near = np.argsort(keys, kind="stable")[: 2 * FIRST].tolist()
        found += [(int(keys[second]), first, second, int(costs[second])) for second in near]
    chosen: list[Candidate] = []
    came_first, came_second = Counter[int](), Counter[int]()
    for _, first, second, cost in sorted(found):
        if len(chosen) < n and came_first[first] < FIRST and came_second[second] < SECOND:
            came_first[first] += 1
            came_second[second] += 1
            chosen.append(Candidate(f"{words[first][0]} {words[second][0]}", words[first][1] + words[second][1], cost))
    return chosen


def stretch_distance(phones: Phones, target: Phones) -> int:
    """How far the nearest stretch of one pronunciation is."""
    return int(_anywhere(_table([phones]), target)[0])


class Pronunciations:
    """Many of them, ready to be compared with one target after the other."""

    def __init__(self, pronunciations: Sequence[Phones]) -> None:
        self._n = len(pronunciations)
        by_length = sorted(range(self._n), key=lambda n: len(pronunciations[n]))
        tiles = [by_length[begin : begin + _TILE] for begin in range(0, self._n, _TILE)]
        self._tiles = [(tile, _table([pronunciations[n] for n in tile])) for tile in tiles]

    def distances(self, target: Phones) -> Costs:
        """int64[n]: how far the nearest stretch of each is; of one without phones, further than anything."""
        found = np.full(self._n, _NEVER, np.int64)
        for tile, table in self._tiles:
            found[tile] = _anywhere(table, target)
        return found


def _table(pronunciations: Sequence[Phones]) -> NDArray[np.intp]:
    """intp[n, longest]: codes, filled up at the end."""
    table = np.full((len(pronunciations), max(map(len, pronunciations), default=0)), PAD, np.intp)
    for row, phones in enumerate(pronunciations):
        table[row, : len(phones)] = [CODES[phone] for phone in phones]
    return table


def _columns(table: NDArray[np.intp], target: Phones) -> Iterable[Costs]:
    """int64[n, len(target) + 1] after each phone: the least cost of a stretch that ends here and is so much of it."""
    codes = np.array([CODES[phone] for phone in target], np.intp)
    omitted = np.concatenate([[0], np.cumsum(OMISSION[codes])])
    column = np.broadcast_to(omitted, (len(table), len(omitted))).copy()
    yield column
    for heard in table.T:
        put_in = column + OMISSION[heard][:, None]
        put_in[:, 1:] = np.minimum(put_in[:, 1:], column[:, :-1] + SUBSTITUTION[heard][:, codes])
        put_in = np.minimum(put_in, np.where(heard == PAD, _NEVER, BREAK)[:, None] + omitted)
        column = omitted + np.minimum.accumulate(put_in - omitted, axis=1)
        yield column


def _anywhere(table: NDArray[np.intp], target: Phones) -> Costs:
    """int64[n]: the least distance of any stretch of each row."""
    best = np.full(len(table), _NEVER, np.int64)
    column = None
    for column in _columns(table, target):
        best = np.minimum(best, column[:, -1] + BREAK)
    assert column is not None
    return np.minimum(best, column[:, -1])


def _at_the_end(table: NDArray[np.intp], target: Phones) -> Costs:
    """int64[n, len(target) + 1]: the least cost of a stretch that ends where the row ends."""
    *_, last = _columns(table, target)
    return last


def dictionary_entries(dictionary: Mapping[str, tuple[str, ...]]) -> list[tuple[str, Phones]]:
    """Each word with each of its pronunciations, as `wakeword.pronunciation` reads them; spelt-out letters are none."""
    return [
        (word, tuple(one.split())) for word, spoken in dictionary.items() if word.strip("'").isalpha() for one in spoken
    ]
