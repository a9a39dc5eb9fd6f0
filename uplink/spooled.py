"""What goes into a spool, what waits in it, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Moment:
    """When something is, as the stream counts: seconds since it began, and UTC in ISO 8601."""

    seconds: float
    utc: str


@dataclass(frozen=True)
class Spooled:
    """A waiting part; `payload` is as it goes on the wire, `digest` what its receipt will say."""

    clip: str
    number: int
    digest: str
    payload: bytes


class Deposit(NamedTuple):
    """A part to be kept, as `Spool.put` describes it."""

    clip: str
    number: int
    digest: str
    payload: bytes
    last: bool = False
    priority: float = 0.0


@dataclass(frozen=True)
class SpooledClip:
    """A waiting clip: its parts without receipt, and their bytes of payload.

    `age_s`: seconds in which a device listened since it was begun; `utc`: when that was; `closed`: its last part came.
    """

    clip: str
    parts: int
    size: int
    priority: float
    age_s: float
    utc: str
    closed: bool


@dataclass(frozen=True)
class Summary:
    """How much waits; `size` is in bytes of payload, `oldest_s` as `SpooledClip.age_s`."""

    clips: int
    parts: int
    size: int
    oldest_s: float = 0.0
