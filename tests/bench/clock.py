"""A clock that lets the uninteresting beginning of a paced stream pass at once."""

from __future__ import annotations

import threading
import time


class HeadStart:
    """A clock of `device.audio`: paced sound up to `seconds` comes as fast as it goes, and what follows as heard."""

    def __init__(self, seconds: float) -> None:
        self._ahead = seconds
        self._zero: float | None = None

    def now(self) -> float:
        """Seconds since the first look, which is the beginning of the stream; after it, `seconds` have passed."""
        if self._zero is None:
            self._zero = time.monotonic() - self._ahead
            return 0.0
        return time.monotonic() - self._zero

    def wait(self, closed: threading.Event, seconds: float) -> None:
        """Wait until `seconds` have passed or `closed` is set."""
        closed.wait(seconds)
