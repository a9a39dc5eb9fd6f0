"""What the desk hands out, and what it tells of its work."""

from __future__ import annotations

from dataclasses import dataclass

from sim.review.policy import Queue

REPORTED_SECONDS_PER_CLIP = 32.4
"""A thousand clips in a shift of nine hours (Bloomberg, April 2019)."""


@dataclass(frozen=True)
class Task:
    """A clip as somebody sees it: what the policy shows beside it, and the transcript if it is filled in.

    id: a handle that says nothing of the clip. samples: how long it is.
    """

    id: str
    shown: dict[str, str]
    transcript: str
    samples: int
    queue: Queue


@dataclass(frozen=True)
class Pace:
    """What somebody did in the last nine hours, and how long a clip took on average; None without one."""

    done: int
    seconds_per_clip: float | None
    reported_seconds_per_clip: float = REPORTED_SECONDS_PER_CLIP


@dataclass(frozen=True)
class QueueState:
    """How many tasks of a queue are in which state."""

    queue: Queue
    open: int
    taken: int
    done: int
    withdrawn: int


@dataclass(frozen=True)
class Draw:
    """A task as whoever looks after the desk sees it: how likely its draw was, and why it was drawn."""

    id: str
    state: str
    queue: Queue
    chance: float
    reason: str
