"""A database, SQLite or PostgreSQL, as something to read from and to write to. Its faults are one sentence."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Select, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from sim.cloud.migrations import bring_up_to_date
from sim.errors import StoreAwayError, StoreError

T = TypeVar("T")

_PATIENCE_MS = 10_000
"""How long to wait for another program that writes, and for a database whose machine says nothing."""
_SCRUB_MS = 500
"""How long to wait for those who read, who must not hold up everybody else."""
_SETTINGS = f"-c lock_timeout={_PATIENCE_MS} -c statement_timeout={3 * _PATIENCE_MS}"
_POSTGRESQL: dict[str, Any] = {
    "connect_timeout": _PATIENCE_MS // 1000,
    "tcp_user_timeout": _PATIENCE_MS,
    # A program that is stopped in the middle of a transaction must not hold up the others for good.
    "options": f"{_SETTINGS} -c idle_in_transaction_session_timeout={3 * _PATIENCE_MS}",
}
_MAKING = text("SELECT pg_advisory_xact_lock(20190410)")


def rows_of(session: Session, statement: Select[T], values: Mapping[str, Any] | None = None) -> list[T]:
    """Give all rows of one table, as its objects; raises ValueError where one has lost its key: the file was changed.

    SQLAlchemy would give None for such a row.
    """
    rows = list(session.scalars(statement, values))
    if any(row is None for row in rows):
        raise ValueError("a row has lost its key")
    return rows


class Database:
    """Tables for any number of threads and programs. A method raises StoreAwayError while it cannot be used."""

    def __init__(self, url: str, make: Callable[[Connection], None] = bring_up_to_date) -> None:
        """Connect to an SQLAlchemy URL, and make or migrate the tables with `make`; raises StoreError."""
        self._make = make
        self._writing = threading.Lock()
        self._shown = "named"
        with self._translated():
            parsed = _with_driver(make_url(url))
            self._shown = _without_secrets(parsed)
            self._engine = self._open(parsed)
            self._sqlite = self._engine.dialect.name == "sqlite"
            # What is written on this one excludes other writers from its beginning on.
            self._writer = self._engine.execution_options(immediate=True) if self._sqlite else self._engine
        try:
            self._make_tables()
        except StoreError:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Let go of it."""
        self._engine.dispose()

    @property
    def shown(self) -> str:
        """Its file or address, as it may be told to anybody."""
        return self._shown

    @property
    def is_file(self) -> bool:
        """Whether it is a file of this program's, rather than a server."""
        return self._sqlite

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of its own that is there now; none of a server's."""
        name = self._engine.url.database if self._sqlite else None
        paths = [Path(f"{name}{tail}") for tail in ("", "-wal", "-shm", "-journal")] if name else []
        return tuple(path for path in paths if path.is_file())

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state of the database."""
        with self._translated(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes are on the disk after the block, or, where it raises, were never made."""
        with self._writing, self._translated(), Session(self._writer) as session:
            yield session
            session.commit()

    def scrub(self) -> bool:
        """Leave no trace of deleted rows in the file beneath, as far as a database can be told to.

        False where something of them may be left: another program reads just now, or it is PostgreSQL, which
        overwrites what it let go of when it needs the room.
        """
        if not self._sqlite:
            return False
        with self._writing, self._translated(), self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute(f"PRAGMA busy_timeout = {_SCRUB_MS}")
            busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            raw.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        return not busy

    def _open(self, url: URL) -> Engine:
        try:
            if url.get_backend_name() == "sqlite":
                engine = create_engine(url)
                event.listen(engine, "connect", _set_up_sqlite)
                event.listen(engine, "begin", _begin_sqlite)
                return engine
            if url.get_backend_name() == "postgresql":
                # Without the ping, the first to come after a restart of the database would meet a dead connection.
                return create_engine(
                    url, pool_pre_ping=True, isolation_level="READ COMMITTED", connect_args=_POSTGRESQL
                )
        except ImportError as error:
            raise StoreError(
                f"the database {self._shown} needs {error.name}; install it: pip install 'psycopg[binary]'"
            ) from None
        raise StoreError(f"the database {self._shown} cannot be used; name one of SQLite or PostgreSQL")

    def _make_tables(self) -> None:
        with self.writing() as session:
            if not self._sqlite:
                session.execute(_MAKING)  # or two programs that start at once would both make them
            self._make(session.connection())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        # What is in a damaged file may be no text, no JSON, or of another type.
        except (SQLAlchemyError, ValueError, TypeError) as error:
            # Its own text quotes the statement and its values; the driver's is the one line that says what is wrong.
            why = (str(getattr(error, "orig", None) or error) or type(error).__name__).splitlines()[0]
            mend = "check that it runs and lets you in" if "://" in self._shown else "check disk and file"
            raise StoreAwayError(f"the database {self._shown} cannot be used ({why}); {mend}") from None


def _with_driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def _without_secrets(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return URL.create(url.drivername, host=url.host, port=url.port, database=url.database).render_as_string()


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # so that transactions begin as `_begin_sqlite` says
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    _turn_to_wal(connection)  # readers do not wait for the writer
    connection.execute("PRAGMA synchronous = FULL")  # a receipt says that the part is on the disk
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten with zeros


def _turn_to_wal(connection: Any) -> None:
    """Turn a new file to WAL, which fails at once where another program does the same, and need not be repeated."""
    for _ in range(100):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            connection.execute("BEGIN IMMEDIATE")  # waits for the other one
            connection.execute("ROLLBACK")
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes then would fail, unwaited, where another program wrote in between.
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
