"""From a damaged spool to a new one: what is whole is carried over, what is not is named."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from uplink.database import Database, FullError
from uplink.dropped import Drop, report
from uplink.errors import SpoolError
from uplink.schema import checksum
from uplink.wreck import ReadClip, ReadPart, Wreck


def set_aside(path: Path) -> Path:
    """Rename a damaged spool, with its log, to ``<name>.damaged-N``, and give the new path; raises SpoolError."""
    try:
        taken = {file.name for file in path.parent.iterdir()}
        number = next(n for n in range(1, len(taken) + 2) if f"{path.name}.damaged-{n}" not in taken)
        aside = path.with_name(f"{path.name}.damaged-{number}")
        path.rename(aside)
        with suppress(FileNotFoundError):
            path.with_name(f"{path.name}-wal").rename(aside.with_name(f"{aside.name}-wal"))
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    except OSError as error:
        raise SpoolError(f"the spool {path} is damaged, and cannot be set aside ({error.strerror})") from None
    return aside


def rescue(aside: Path, spool: Database, utc: str) -> tuple[int, list[Drop]]:
    """Carry every whole clip into a new spool, with its drop report and memos; gives how many, and what is lost.

    A clip of which some waiting parts cannot be read is lost as a whole: without them it would never be complete.
    """
    wreck = Wreck(aside)
    try:
        clips = wreck.clips()
        lost = [_lost(clip, utc) for clip in clips.values() if not clip.whole]
        memos, drops = wreck.memos(), list(wreck.drops())

        def begin(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO memo VALUES (?, ?)", memos.items())
            for drop in [*drops, *lost]:
                report(connection, drop)

        spool.write(begin, tight=True)
        rescued = 0
        for clip in clips.values():
            if clip.whole:
                full = _carry(clip, wreck, spool, utc)
                rescued += full is None
                lost += [full] if full is not None else []
    finally:
        wreck.close()
    return rescued, lost


def _lost(clip: ReadClip, utc: str) -> Drop:
    return Drop(clip.name, clip.parts or len(clip.listed | clip.intact.keys()), clip.size, "damaged", utc)


def _carry(clip: ReadClip, wreck: Wreck, spool: Database, utc: str) -> Drop | None:
    """Carry a clip over as a whole; gives what is to be told where the disk has no room for it."""

    def insert(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO clip (name, born, utc, priority, closed) VALUES (?, ?, ?, ?, ?)",
            (clip.name, clip.born, clip.utc, clip.priority, clip.closed),
        )
        for place in clip.intact.values():
            if (part := wreck.part(place)) is not None:
                connection.execute(
                    "INSERT INTO part (clip, number, digest, size, crc, payload) VALUES (?, ?, ?, ?, ?, ?)", _row(part)
                )

    try:
        spool.write(insert)
    except FullError:
        drop = Drop(clip.name, len(clip.intact), clip.size, "disk_full", utc)
        spool.write(lambda connection: report(connection, drop), tight=True)
        return drop
    return None


def _row(part: ReadPart) -> tuple[str, int, str, int, int, bytes]:
    crc = checksum(part.clip, part.number, part.digest, part.payload)
    return part.clip, part.number, part.digest, len(part.payload), crc, part.payload
