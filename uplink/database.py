"""One SQLite file that keeps what it was given, on a disk that fills and may lie."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from uplink.errors import SpoolError
from uplink.reserve import Reserve

T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]

RESERVE_BYTES = 2 * 1024 * 1024
"""Above what one checkpoint can add to the file: the log's limit, and the largest transaction behind it."""
_LOG_PAGES = 256
"""Pages of 4 KiB after which the log is written back into the file."""
_PATIENCE_S = 5.0
"""How long to wait for another program that writes."""

_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
"""What SQLite says where the disk is full, or the quota is used up."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}
"""SQLITE_ERROR too: the statements here are constant, so what they do not find has been taken away."""


class FullError(SpoolError):
    """The disk is full, and what was held in reserve is not enough."""


class DamagedError(SpoolError):
    """The file is not, or no longer, what was written."""


class Database:
    """A file, its write-ahead log and its reserve; one thread at a time, any number of processes."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it (mode 600, with its folders); raises SpoolError where that cannot be."""
        self.path = path
        self._reserve = Reserve(path.with_name(f"{path.name}.reserve"), RESERVE_BYTES)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            _sync(path.parent)  # or the name may be lost with the power
        except OSError as error:
            raise SpoolError(
                f"the spool {path} cannot be written ({error.strerror}); name a folder that can be with --state"
            ) from None
        try:
            self._connection = self._connect()
        except FullError:
            self._reserve.give_up()
            self._connection = self._connect()
        self._reserve.take()

    def _connect(self) -> sqlite3.Connection:
        with self._translated():
            connection = sqlite3.connect(self.path, _PATIENCE_S, check_same_thread=False, isolation_level=None)
        try:
            with self._translated():
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
                connection.execute(f"PRAGMA journal_size_limit = {_LOG_PAGES * 4096}")
                # WAL alone may lose the newest transactions when the power goes; FULL syncs each before it is over.
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("SELECT * FROM sqlite_master").fetchall()
        except SpoolError:
            connection.close()
            raise
        return connection

    def read(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Give all rows."""
        with self._translated():
            return self._connection.execute(sql, values).fetchall()

    def write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = True, tight: bool = False) -> T:
        """Run `work` in one transaction; it is on the disk when this returns, or with `durable` False soon after.

        Raises FullError, with nothing changed, where the disk has no room; with `tight` the reserve is given up for it.
        """
        if not tight:
            return self._transact(work, durable)
        self._reserve.give_up()
        self.checkpoint()
        try:
            return self._transact(work, durable)
        finally:
            self.checkpoint()
            self._reserve.take()

    def _transact(self, work: Callable[[sqlite3.Connection], T], durable: bool) -> T:
        connection = self._connection
        with self._translated():
            if not durable:
                connection.execute("PRAGMA synchronous = NORMAL")
            try:
                connection.execute("BEGIN IMMEDIATE")
                done = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                if not durable:
                    connection.execute("PRAGMA synchronous = FULL")
        return done

    def checkpoint(self) -> None:
        """Write the log back into the file and give its room to the disk, as far as that can be."""
        with self._translated():
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.OperationalError as error:
                if _code(error) not in _FULL:
                    raise

    def room(self) -> int:
        """Bytes that can still be written while the reserve can be taken too: on the disk, and in empty pages."""
        pages = self.read("PRAGMA freelist_count")[0][0] * 4096
        reserve = self._reserve
        taken = reserve.path.stat().st_size if reserve.path.exists() else 0
        return int(pages) + shutil.disk_usage(self.path.parent).free + taken - reserve.size

    def close(self) -> None:
        """Close the file."""
        with self._translated():
            self._connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn SQLite's errors into one sentence each."""
        with translated(self.path):
            yield


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the spool at `path` into one sentence each."""
    try:
        yield
    except UnicodeDecodeError:  # of SQLite's own sentence about what it found
        raise DamagedError(f"the spool {path} is damaged (its words are no text)") from None
    except sqlite3.ProgrammingError:
        raise SpoolError(f"the spool {path} is closed") from None
    except sqlite3.DatabaseError as error:
        if is_read_only(path):
            raise SpoolError(
                f"the disk with the spool {path} has become read-only, as a card does at its end or after a fault; "
                "look at it (dmesg), mend it or take another, and start again"
            ) from None
        if _code(error) in _FULL:
            raise FullError(f"the disk with the spool {path} takes no more ({error}); make room on it") from None
        # A text that is no UTF-8 has no code: Python finds that out, not SQLite.
        if _code(error) & 0xFF in _DAMAGED or "decode" in str(error):
            raise DamagedError(f"the spool {path} is damaged ({error})") from None
        raise SpoolError(f"the spool {path} cannot be used ({error}); check the folder and the disk") from None


def is_read_only(path: Path) -> bool:
    """Whether the disk that a file is on takes nothing any more, also where it does not say so of itself."""
    try:
        os.utime(path)
    except OSError as error:
        return error.errno == errno.EROFS
    return False


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0)


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
