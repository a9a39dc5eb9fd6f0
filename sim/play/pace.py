"""How fast a play goes: as fast as the processor, or as it would be heard."""

from __future__ import annotations

import threading

from device.audio import Clock, SystemClock
from wakeword.sound import RATE


class RealPace:
    """Lets each sample come at its time; what came late is caught up with. The only look at a clock in a play."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._begin: float | None = None
        self._never = threading.Event()

    def __call__(self, sample: int) -> None:
        """Wait until the sample has come; the first call begins the stream."""
        now = self._clock.now()
        if self._begin is None:
            self._begin = now - sample / RATE
        ahead = self._begin + sample / RATE - now
        if ahead > 0:
            self._clock.wait(self._never, ahead)
