"""How fast somebody may ask: so fast as a person works, and a little faster for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PER_SECOND, BURST = 30.0, 150.0
_MOST = 10_000
"""Names that are remembered; one that is forgotten begins anew with a full bucket."""


class Bucket:
    """A token bucket for each name, for any number of threads. The clock here decides about nothing else."""

    def __init__(
        self, per_second: float = PER_SECOND, burst: float = BURST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, name: str) -> bool:
        """Whether one more may be asked now."""
        with self._lock:
            now = self._clock()
            left, since = self._left.pop(name, (self._burst, now))
            left = min(self._burst, left + (now - since) * self._per_second)
            if len(self._left) >= _MOST:
                del self._left[next(iter(self._left))]
            self._left[name] = (left - 1 if left >= 1 else left), now
            return left >= 1
