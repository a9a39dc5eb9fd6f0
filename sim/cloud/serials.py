"""The numbers of directives: each larger than any before it, also after a restart, and after the loss of the store."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Serials:
    """Gives them out of blocks, so that not each costs a wait for the disk; from any thread.

    reserve(count): the first of so many that nobody has, and that nobody gets from now on, on the disk when it returns.
    What is left of a block at the end is never given. Where several programs speak with one key, `block` is 1, because
    a device takes a smaller number than the last it saw for a repetition, whoever sent it.
    """

    def __init__(self, reserve: Callable[[int], int], block: int) -> None:
        self._reserve = reserve
        self._block = block
        self._lock = threading.Lock()
        self._next = self._end = 0

    def next(self) -> int:
        """Give the next."""
        with self._lock:
            if self._next == self._end:
                self._next = self._reserve(self._block)
                self._end = self._next + self._block
            self._next += 1
            return self._next - 1
