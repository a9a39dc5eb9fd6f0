"""The clock on the wall, to which a stream is anchored: a computer without a clock chip learns the time only later.

Within the device nothing asks for the time; here it is seen that the anchor, the UTC of sample 0, is wrong, and told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from device.audio import Block
from wakeword.sound import RATE

_STEP_S = 1.0
"""A clock that is set by less stays as it is: the daemon that slews it is at work."""
_DRIFT_S = 2.0
"""How far the sample clock may run from the clock on the wall; a quartz of 50 ppm gets there in half a day."""
_WINDOW = 600 * RATE
"""Samples over which the drift is measured: the smallest lag in them, since the device may be late and never early."""


class WallClock:
    """Follows a live source and calls `anchor` with a new UTC of sample 0, where the one there is proves wrong.

    A step is seen at once: UTC and the monotonic clock part (a computer that slept looks the same, and needs the same).
    Drift is seen each ten minutes.
    """

    def __init__(
        self,
        zero: datetime,
        anchor: Callable[[datetime], None],
        utc_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the anchor that the stream has."""
        self._zero, self._anchor = zero, anchor
        self._utc_s, self._monotonic_s = utc_s, monotonic_s
        self._apart = utc_s() - monotonic_s()
        self._least: float | None = None  # lag of the sample clock, in seconds
        self._until = _WINDOW

    def hear(self, block: Block) -> None:
        """Take a block that has just been dealt with."""
        utc_s = self._utc_s()
        step_s = utc_s - self._monotonic_s() - self._apart
        if abs(step_s) > _STEP_S:
            self._apart += step_s
            self._move(step_s, block.end)
            return
        lag = utc_s - self._zero.timestamp() - block.end / RATE
        self._least = lag if self._least is None else min(self._least, lag)
        if block.end >= self._until:
            drift_s = self._least
            self._begin_window(block.end)
            if abs(drift_s) > _DRIFT_S:
                self._move(drift_s, block.end)

    def _move(self, by_s: float, end: int) -> None:
        try:
            self._zero = (self._zero + timedelta(seconds=by_s)).astimezone(UTC)
        except OverflowError:  # a clock that was set to what no calendar knows
            return
        self._begin_window(end)
        self._anchor(self._zero)

    def _begin_window(self, end: int) -> None:
        self._least, self._until = None, end + _WINDOW
