"""From a damaged spool to a new one: what is whole is carried over, what is not is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from uplink.database import Database, FullError
from uplink.dropped import Drop, report
from uplink.errors import SpoolError
from uplink.log import CutLog
from uplink.schema import checksum
from uplink.wreck import ReadClip, ReadPart, Wreck


def set_aside(path: Path) -> Path:
    """Rename a damaged spool, with its log, to ``<name>.damaged-N``, and give the new path; raises SpoolError."""
    try:
        aside = _free(path)
        path.rename(aside)
        with suppress(FileNotFoundError):
            path.with_name(f"{path.name}-wal").rename(aside.with_name(f"{aside.name}-wal"))
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    except OSError as error:
        raise SpoolError(f"the spool {path} is damaged, and cannot be set aside ({error.strerror})") from None
    return aside


def replay_aside(path: Path, log: CutLog) -> Path:
    """Write the file of a spool, as it would be with all of its log, to ``<name>.damaged-N``; raises SpoolError."""
    try:
        aside = _free(path)
        aside.touch(0o600)
        aside.write_bytes(log.replay(path.read_bytes()))
    except OSError as error:
        raise SpoolError(
            f"the log of the spool {path} is damaged, and cannot be set aside ({error.strerror})"
        ) from None
    return aside


def complete(aside: Path, connection: sqlite3.Connection, utc: str) -> tuple[int, list[Drop]]:
    """Add to a spool, within a transaction, what is whole in another state of it; gives how many clips that made
    larger, and those of which something cannot be read, which are in the drop report then.

    What waits of these goes on: it may be that nobody was told that the rest was kept.
    """
    wreck = Wreck(aside)
    try:
        larger, lost = 0, []
        for clip in wreck.clips().values():
            sql = "SELECT number FROM part WHERE clip = ?"
            here = {number for (number,) in connection.execute(sql, (clip.name,))}
            new = [
                part for number in clip.intact.keys() - here if (part := wreck.part(clip.intact[number])) is not None
            ]
            if new:
                connection.execute(
                    "INSERT INTO clip (name, born, utc, priority, closed) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET closed = excluded.closed",
                    (clip.name, clip.born, clip.utc, clip.priority, clip.closed),
                )
                _insert(connection, new)
                larger += 1
            here |= {part.number for part in new}
            missing = max(len(clip.listed - here), (clip.parts or 0) - len(here), not here)
            if missing:
                lost.append(Drop(clip.name, missing, 0, "damaged", utc))
                report(connection, lost[-1])
    finally:
        wreck.close()
    return larger, lost


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


def _free(path: Path) -> Path:
    taken = {file.name for file in path.parent.iterdir()}
    number = next(n for n in range(1, len(taken) + 2) if f"{path.name}.damaged-{n}" not in taken)
    return path.with_name(f"{path.name}.damaged-{number}")


def _lost(clip: ReadClip, utc: str) -> Drop:
    return Drop(clip.name, clip.parts or len(clip.listed | clip.intact.keys()), clip.size, "damaged", utc)


def _carry(clip: ReadClip, wreck: Wreck, spool: Database, utc: str) -> Drop | None:
    """Carry a clip over as a whole; gives what is to be told where the disk has no room for it."""

    def insert(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO clip (name, born, utc, priority, closed) VALUES (?, ?, ?, ?, ?)",
            (clip.name, clip.born, clip.utc, clip.priority, clip.closed),
        )
        _insert(connection, (part for place in clip.intact.values() if (part := wreck.part(place)) is not None))

    try:
        spool.write(insert)
    except FullError:
        drop = Drop(clip.name, len(clip.intact), clip.size, "disk_full", utc)
        spool.write(lambda connection: report(connection, drop), tight=True)
        return drop
    return None


def _insert(connection: sqlite3.Connection, parts: Iterable[ReadPart]) -> None:
    for part in parts:
        crc = checksum(part.clip, part.number, part.digest, part.payload)
        connection.execute(
            "INSERT INTO part (clip, number, digest, size, crc, payload) VALUES (?, ?, ?, ?, ?, ?)",
            (part.clip, part.number, part.digest, len(part.payload), crc, part.payload),
        )
