"""The databases of an archive: what fills each, and the plain driver that ours is measured beside."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.bench.filling import COLUMNS, Row


class Plain(Protocol):
    """A driver and nothing else, with each statement as short as it can be."""

    name: str

    def fill(self, table: str, rows: Sequence[Row]) -> None:
        """Put rows into a table."""
        ...

    def finish(self) -> None:
        """All rows are there."""
        ...

    def rows(self, statement: str, *values: object) -> list[Any]:
        """Ask."""
        ...

    def change(self, *statements: tuple[str, tuple[object, ...]]) -> list[Any]:
        """Change, in one transaction that is on the disk then; gives what the last one returns."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class PlainSqlite:
    """sqlite3, as durable as the store itself: WAL, every commit synced, and what is deleted overwritten."""

    name = "sqlite3"

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, timeout=10)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            self._connection.execute(f"PRAGMA {pragma}")

    def fill(self, table: str, rows: Sequence[Row]) -> None:
        """See `Plain.fill`."""
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            with _transaction(self._connection):
                self._connection.executemany(f"INSERT INTO {table} ({COLUMNS[table]}) VALUES ({marks})", rows)

    def finish(self) -> None:
        """See `Plain.finish`."""
        self._connection.execute("ANALYZE")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows(self, statement: str, *values: object) -> list[Any]:
        """See `Plain.rows`."""
        return self._connection.execute(statement.replace("%s", "?"), values).fetchall()

    def change(self, *statements: tuple[str, tuple[object, ...]]) -> list[Any]:
        """See `Plain.change`."""
        found: list[Any] = []
        with _transaction(self._connection):
            for statement, values in statements:
                found = self._connection.execute(statement.replace("%s", "?"), values).fetchall()
        return found

    def close(self) -> None:
        """See `Plain.close`."""
        self._connection.close()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("COMMIT")


class PlainPostgresql:
    """psycopg."""

    name = "psycopg"

    def __init__(self, url: str) -> None:
        import psycopg

        self._connection = psycopg.connect(url, autocommit=True)

    def fill(self, table: str, rows: Sequence[Row]) -> None:
        """See `Plain.fill`."""
        with self._connection.cursor().copy(f"COPY {table} ({COLUMNS[table]}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def finish(self) -> None:
        """See `Plain.finish`."""
        self._connection.execute("VACUUM ANALYZE")

    def rows(self, statement: str, *values: object) -> list[Any]:
        """See `Plain.rows`."""
        return self._connection.execute(statement.encode(), values).fetchall()

    def change(self, *statements: tuple[str, tuple[object, ...]]) -> list[Any]:
        """See `Plain.change`."""
        with self._connection.transaction():
            for statement, values in statements:
                cursor = self._connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """See `Plain.close`."""
        self._connection.close()


def hash_all(rows: Sequence[Any]) -> str:
    """What verifying a log cannot do without: a hash over every value of every row."""
    chain = hashlib.sha256()
    for row in rows:
        chain.update(repr(row).encode())
        chain.digest()
    return chain.hexdigest()
