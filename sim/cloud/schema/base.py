"""What all tables have in common. Nothing in them is of one kind of database."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """What all tables have in common."""


def stamp(moment: datetime) -> str:
    """Write a moment as the tables keep it: UTC to the microsecond, so that the order of texts is that of time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
