"""How much is measured: enough for a figure, or just enough to see that everything runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """Rounds of each measurement."""

    warm_up: int
    """Rounds before them that are not counted."""
    speech_s: int
    """Speech scored at once, and heard for the memory."""
    bulk: int
    hops: int
    """Hops in a round of the streaming measurements."""
    streaming: int
    starts: int
    wakes: int
    live_wakes: int
    listening: int
    """Times that a microphone is given all that it is to hear; 0: one wake of it, once."""
    hearings: int
    clips: int
    spools: int
    spooled: int
    """Parts in a round of what the spool costs."""
    deliveries: int
    delivered: int
    """Clips in a round of deliveries as fast as they go."""
    singles: int
    outage: int
    """Clips that wait when an outage is over."""
    devices: int
    devices_a_second: int
    """How many of them end a clip in each second: fewer than the far end takes."""
    archived: int
    """Clips in the archive."""
    owned: int
    """Clips of a customer who has them all deleted."""
    deletions: int
    asks: int
    """Tasks that are taken, and pages that are looked at."""
    short_tasks: int
    trials: int
    stretches: int
    """Of the fleet that are played."""
    mined: int
    """Candidates of `lab mine`, from end to end."""
    annotators: int
    annotated: int
    """Clips of each of them."""
    annotating_s: float
    """In how many seconds one is annotated, a third of what was reported."""


FULL = Effort(
    warm_up=1,
    speech_s=60,
    bulk=7,
    hops=100,
    streaming=15,
    starts=3,
    wakes=25,
    live_wakes=40,
    listening=5,
    hearings=5,
    clips=8,
    spools=15,
    spooled=30,
    deliveries=5,
    delivered=60,
    singles=200,
    outage=2_000,
    devices=1_000,
    devices_a_second=40,
    archived=1_000_000,
    owned=10_000,
    deletions=7,
    asks=300,
    short_tasks=2_000,
    trials=12,
    stretches=150,
    mined=1_000,
    annotators=100,
    annotated=5,
    annotating_s=10.8,
)
QUICK = Effort(
    warm_up=0,
    speech_s=16,
    bulk=1,
    hops=20,
    streaming=1,
    starts=1,
    wakes=1,
    live_wakes=1,
    listening=0,
    hearings=1,
    clips=1,
    spools=1,
    spooled=5,
    deliveries=1,
    delivered=5,
    singles=5,
    outage=10,
    devices=20,
    devices_a_second=40,
    archived=2_000,
    owned=100,
    deletions=1,
    asks=3,
    short_tasks=20,
    trials=2,
    stretches=1,
    mined=0,
    annotators=5,
    annotated=1,
    annotating_s=0.1,
)
