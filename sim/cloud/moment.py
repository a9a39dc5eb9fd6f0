"""When a clip began, in UTC: its name says so, or else the facts of its part 0."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sim.cloud.schema.base import stamp
from uplink.message import JSON
from wakeword.sound import RATE


def begun(clip: str, facts: Mapping[str, JSON], begin: int) -> str:
    """Give when a clip began, as `stamp` writes it; empty where nothing says it.

    clip: its id, which ends in the UTC of the stream's sample 0 and the sample at which the clip begins. facts: those
    of its part 0 as far as it is there; their ``utc`` is that of sample 0 too. begin: the clip's first sample.
    """
    zero, sample = _named(clip) or (told(facts.get("utc")), begin)
    try:
        return "" if zero is None else stamp(zero + timedelta(microseconds=sample * 1_000_000 // RATE))
    except OverflowError:  # a clock that was wrong by thousands of years
        return ""


def _named(clip: str) -> tuple[datetime, int] | None:
    _, zero, sample = ("", "", *clip.rsplit("-", 2))[-3:]
    try:
        return datetime.strptime(zero, "%Y%m%dt%H%M%S%f").replace(tzinfo=UTC), int(sample)
    except ValueError:
        return None


def told(utc: JSON) -> datetime | None:
    """Read a moment that a device tells, which is UTC where it names no zone; None where it is none."""
    moment = parsed(utc)
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def parsed(utc: JSON) -> datetime | None:
    """Read a moment as it is written, with a zone or without; None where it is none."""
    try:
        return datetime.fromisoformat(utc) if isinstance(utc, str) else None
    except ValueError:
        return None
