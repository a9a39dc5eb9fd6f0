"""What the tests of the spool share: parts that nobody can read, and ways to break a file."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field

from uplink.spool import Moment, Spool

Row = tuple[str, int, str, bytes]


def row(clip: str, number: int, size: int = 1_000) -> Row:
    """Give a part as `Spool.put` takes it, the same every time."""
    payload = random.Random(f"{clip} {number} {size}").randbytes(size)
    return clip, number, hashlib.sha256(payload).hexdigest(), payload


def clip_id(number: int) -> str:
    """Give the name of a clip."""
    return f"dot-20260101t000000000000z-{number:012d}"


def fill(spool: Spool, clips: int, parts: int, size: int = 1_000) -> list[Row]:
    """Put so many closed clips of so many parts; gives them."""
    rows = [row(clip_id(clip), number, size) for clip in range(clips) for number in range(parts)]
    for one in rows:
        assert spool.put(*one, last=one[1] == parts - 1)
    return rows


def content(spool: Spool) -> list[Row]:
    """Give all that waits, in order."""
    found = [spool.get(*key) for key in spool.waiting()]
    return [(one.clip, one.number, one.digest, one.payload) for one in found if one is not None]


@dataclass
class Stream:
    """A stream whose time a test sets."""

    seconds: float = 0.0
    utc: str = "2026-01-01T00:00:00.000000Z"
    facts: list[tuple[str, object]] = field(default_factory=list)

    def now(self) -> Moment:
        return Moment(self.seconds, self.utc)
