"""What the uplink has done and has to do, in numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from uplink.spool import Summary

BOUNDS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the round trip's classes; a last one has none."""


@dataclass
class RoundTrips:
    """Seconds from a part's only sending to its receipt, in classes."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total_s: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds


@dataclass
class Tally:
    """Counted since the sender began: parts sent for the first time, and again; receipts for parts that waited; parts
    that the far end had when it was asked; connections; events that could not be told; refused messages by reason.
    """

    sent: int = 0
    retries: int = 0
    receipts: int = 0
    reconciled: int = 0
    connections: int = 0
    events_dropped: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    round_trips: RoundTrips = field(default_factory=RoundTrips)

    def copy(self) -> Tally:
        """Give it as it is now, on another thread than the one that counts."""
        trips = RoundTrips(self.round_trips.counts.copy(), self.round_trips.total_s)
        return replace(self, refused=self.refused.copy(), round_trips=trips)


@dataclass(frozen=True)
class Figures:
    """A look at an uplink: what waits, what is on its way, what was ever dropped (by why), and the tally."""

    up: bool
    waiting: Summary
    on_their_way: int
    dropped: Mapping[str, Summary]
    tally: Tally
