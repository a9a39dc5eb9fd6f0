"""The tables of a spool's file, and how the file of an earlier version becomes one of this."""

from __future__ import annotations

import sqlite3
import zlib

from uplink.database import DamagedError, Database

VERSION = 1
_APPLICATION = 0x6D736864
"""``mshd``, in the head of the file."""

_TABLES = """
CREATE TABLE clip (
    rank INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    born REAL NOT NULL,
    utc TEXT NOT NULL,
    priority REAL NOT NULL,
    closed INTEGER NOT NULL,
    parts INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE part (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    clip TEXT NOT NULL,
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (clip, number)
) STRICT;
CREATE TABLE dropped (
    rank INTEGER PRIMARY KEY AUTOINCREMENT,
    clip TEXT NOT NULL UNIQUE,
    parts INTEGER NOT NULL,
    size INTEGER NOT NULL,
    why TEXT NOT NULL,
    utc TEXT NOT NULL
) STRICT;
CREATE TABLE dropped_so_far (
    why TEXT PRIMARY KEY,
    clips INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    size INTEGER NOT NULL
) STRICT;
CREATE TABLE memo (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TRIGGER part_came AFTER INSERT ON part BEGIN
    UPDATE clip SET parts = parts + 1, size = size + new.size WHERE name = new.clip;
END;
CREATE TRIGGER part_went AFTER DELETE ON part BEGIN
    UPDATE clip SET parts = parts - 1, size = size - old.size WHERE name = old.clip;
    DELETE FROM clip WHERE name = old.clip AND parts = 0 AND closed;
END;
"""
_FIRST_FORM = ["place", "clip", "number", "digest", "payload"]
"""The columns of the one table that there was before versions were counted."""


def checksum(clip: str, number: int, digest: str, payload: bytes) -> int:
    """Give what tells a part from one that the disk has changed: CRC-32 of all that is kept of it."""
    return zlib.crc32(payload, zlib.crc32(f"{clip} {number} {digest}".encode()))


def prepare(database: Database) -> None:
    """Make the tables where there are none; raises DamagedError for the file of something else."""
    if _known(database):
        return
    columns = [row[1] for row in database.read("PRAGMA table_info(part)")]
    tables = {row[0] for row in database.read("SELECT name FROM sqlite_master WHERE type = 'table'")}
    marks = (database.read("PRAGMA application_id")[0][0], database.read("PRAGMA user_version")[0][0])
    if marks == (_APPLICATION, marks[1]) and marks[1] != VERSION:
        raise DamagedError(
            f"the spool {database.path} is of version {marks[1]}, and this program writes version {VERSION}"
        )
    if marks != (0, 0) or (tables and columns != _FIRST_FORM):
        raise DamagedError(f"the file {database.path} is no spool")
    database.write(lambda connection: _make(connection, bool(tables)))


def _known(database: Database) -> bool:
    return (database.read("PRAGMA application_id"), database.read("PRAGMA user_version")) == (
        [(_APPLICATION,)],
        [(VERSION,)],
    )


def _make(connection: sqlite3.Connection, migrate: bool) -> None:
    if connection.execute("PRAGMA user_version").fetchone() != (0,):
        return  # another program was faster
    if migrate:
        connection.execute("ALTER TABLE part RENAME TO first_form")
    for statement in _statements(_TABLES):
        connection.execute(statement)
    if migrate:
        connection.create_function("checksum", 4, checksum, deterministic=True)
        connection.execute(
            "INSERT INTO clip (name, born, utc, priority, closed) "
            "SELECT clip, 0, '', 0, 1 FROM first_form GROUP BY clip ORDER BY min(place)"
        )
        connection.execute(
            "INSERT INTO part SELECT place, clip, number, digest, length(payload), "
            "checksum(clip, number, digest, payload), payload FROM first_form ORDER BY place"
        )
        connection.execute("DROP TABLE first_form")
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _statements(script: str) -> list[str]:
    """Cut a script at the ends of its statements; `executescript` would commit first."""
    statements, begun = [], ""
    for line in script.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            statements.append(begun)
            begun = ""
    return statements
