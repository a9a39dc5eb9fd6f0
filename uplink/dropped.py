"""The drop report in a spool's file: which clips will not be delivered as a whole, and why."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal, TypeAlias

Why: TypeAlias = Literal["refused", "full", "age", "disk_full", "damaged", "deleted", "purged"]
"""Why a clip was dropped: as a new one it did not fit; it made room for another; it waited too long; the disk had no
room; it could no longer be read; the far end wanted it forgotten; a person did."""

_NAMED = 10_000
"""Drops that are kept by name; all are counted."""


@dataclass(frozen=True)
class Drop:
    """A clip that is not delivered as a whole.

    `parts` and `size` (bytes of payload) are what had no receipt; `utc` is when, as the stream counts, in ISO 8601.
    """

    clip: str
    parts: int
    size: int
    why: Why
    utc: str


def why_dropped(connection: sqlite3.Connection, clip: str) -> Why | None:
    """Say why this clip was dropped; None where it was not."""
    row = connection.execute("SELECT why FROM dropped WHERE clip = ?", (clip,)).fetchone()
    return None if row is None else row[0]


def forget(
    connection: sqlite3.Connection, clip: str, why: Why, utc: str, *, more_parts: int = 0, more_size: int = 0
) -> Drop:
    """Take a clip out of the spool and name it; `more` is of what has not even come in."""
    held = connection.execute("SELECT parts, size FROM clip WHERE name = ?", (clip,)).fetchone() or (0, 0)
    connection.execute("DELETE FROM part WHERE clip = ?", (clip,))
    connection.execute("DELETE FROM clip WHERE name = ?", (clip,))
    drop = Drop(clip, held[0] + more_parts, held[1] + more_size, why, utc)
    report(connection, drop)
    return drop


def report(connection: sqlite3.Connection, drop: Drop) -> None:
    """Name a clip, or add to what is named of it already."""
    known = why_dropped(connection, drop.clip) is not None
    connection.execute(
        "INSERT INTO dropped (clip, parts, size, why, utc) VALUES (?, ?, ?, ?, ?) ON CONFLICT (clip) "
        "DO UPDATE SET parts = parts + excluded.parts, size = size + excluded.size",
        (drop.clip, drop.parts, drop.size, drop.why, drop.utc),
    )
    connection.execute("DELETE FROM dropped WHERE rank <= (SELECT max(rank) FROM dropped) - ?", (_NAMED,))
    connection.execute(
        "INSERT INTO dropped_so_far VALUES (?, ?, ?, ?) ON CONFLICT (why) DO UPDATE "
        "SET clips = clips + excluded.clips, parts = parts + excluded.parts, size = size + excluded.size",
        (drop.why, 0 if known else 1, drop.parts, drop.size),
    )
