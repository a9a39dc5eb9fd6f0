"""What to ask the far end about after an absence: parts that may have been stored, though no receipt has come."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import TypeAlias

from uplink.inventory import MARK_DIGITS, Inventory, Parts
from uplink.window import Key

Receipted: TypeAlias = tuple[str, int, str]
"""A part by clip, number and digest, as a receipt names it."""

_PAGE_BYTES = 96 * 1024
"""Of one question; it must fit into a message, sealed."""


class Reconciler:
    """Holds parts until the far end has said which of them it has; where it says nothing in time, none of them.

    It asks a page at a time. Times are seconds on any clock that does not go back.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._held: deque[Key] = deque()
        self._asked: dict[Key, str] = {}  # with the digest of each
        self._question = 0
        self._deadline = math.inf

    def __len__(self) -> int:
        """How many parts it holds."""
        return len(self._held) + len(self._asked)

    @property
    def deadline(self) -> float:
        """Until when an answer is waited for; infinity where none is."""
        return self._deadline

    @property
    def ready(self) -> bool:
        """Whether there is a question to ask now."""
        return bool(self._held) and not self._asked

    def hold(self, keys: Iterable[Key]) -> None:
        """Take parts, in order; what was asked before and not answered, is asked again."""
        again = [*self._asked, *self._held, *keys]
        self._asked.clear()
        self._held = deque(sorted(again))
        self._deadline = math.inf

    def ask(self, digests: Callable[[str], dict[int, str]], now: float) -> tuple[int, Parts] | None:
        """Give the next question; None where nothing waits any more. `digests` tells those of the parts of a clip."""
        size = 0
        self._deadline = now + self._patience_s  # also where `digests` raises: then they are given up unasked
        while self._held and size < _PAGE_BYTES:
            clip = self._held[0][0]
            waiting = digests(clip)
            size += len(clip) + 8
            while self._held and self._held[0][0] == clip and size < _PAGE_BYTES:
                key = self._held.popleft()
                if key[1] in waiting:
                    self._asked[key] = waiting[key[1]]
                    size += MARK_DIGITS + 11
        if not self._asked:
            self._deadline = math.inf
            return None
        self._question += 1
        marks = {
            clip: {number: self._asked[clip, number][:MARK_DIGITS] for _, number in keys}
            for clip, keys in groupby(self._asked, key=lambda key: key[0])
        }
        return self._question, marks

    def answer(self, inventory: Inventory) -> tuple[list[Receipted], list[Key]] | None:
        """Give what is stored, and what is not; None where this is no answer to what was asked last."""
        if not self._asked or inventory.question != self._question:
            return None
        stored: list[Receipted] = []
        missing: list[Key] = []
        for (clip, number), digest in self._asked.items():
            if inventory.parts.get(clip, {}).get(number) == digest[:MARK_DIGITS]:
                stored.append((clip, number, digest))
            else:
                missing.append((clip, number))
        self._asked.clear()
        self._deadline = math.inf
        return stored, missing

    def give_up(self, now: float) -> list[Key]:
        """Give everything back, in order, where the answer is overdue."""
        if now < self._deadline:
            return []
        back = sorted([*self._asked, *self._held])
        self._asked.clear()
        self._held.clear()
        self._deadline = math.inf
        return back
