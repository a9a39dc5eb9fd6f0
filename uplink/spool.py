"""What the device still owes the far end, on disk: a part stays here until its receipt has come."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from uplink.errors import SpoolError
from uplink.message import Part, digest_of, encode_part
from uplink.seal import Seal

_SCHEMA = """
CREATE TABLE IF NOT EXISTS part (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    clip TEXT NOT NULL,
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (clip, number)
) STRICT;
CREATE TABLE IF NOT EXISTS memo (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True)
class Spooled:
    """A waiting part: its place in the queue (from 1, never used twice), and the payload as it goes on the wire.

    digest: of the sealed body; the receipt for the part has it.
    """

    place: int
    clip: str
    number: int
    digest: str
    payload: bytes


@dataclass(frozen=True)
class Summary:
    """How much waits; `size` is in bytes of payload."""

    clips: int
    parts: int
    size: int


class Spool:
    """A durable queue of parts in one SQLite file, for any number of threads.

    Order is the order of `put`; a device captures one clip at a time, so that is oldest clip first, parts in order.
    Every method raises SpoolError, one sentence, for a disk that is full or a file that is damaged.
    """

    def __init__(self, path: Path, seal: Seal | None = None) -> None:
        """Open the file, or make it (mode 600, with its folders); raises SpoolError where that cannot be.

        Without a seal, parts can be looked at and settled, and none put.
        """
        self.path = path
        self._seal = seal
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise SpoolError(
                f"the spool {path} cannot be written ({error.strerror}); name a folder that can be with --state"
            ) from None
        with self._translated():
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            with self._translated():
                self._database.execute("PRAGMA journal_mode = WAL")
                # WAL alone may lose the newest transactions when the power goes; FULL syncs each before put returns.
                self._database.execute("PRAGMA synchronous = FULL")
                self._database.executescript(_SCHEMA)
        except SpoolError:
            self._database.close()
            raise

    def put(self, part: Part) -> None:
        """Keep a part, sealed; it is on the disk when this returns.

        Raises MessageError where it does not fit on the wire, SpoolError where something is kept under its number.
        """
        if self._seal is None:
            raise SpoolError(f"the spool {self.path} was opened without keys; open it with a seal to put parts")
        payload = encode_part(part, self._seal)
        row = (part.clip, part.number, digest_of(payload), payload)
        with self._lock, self._translated():
            done = self._database.execute(
                "INSERT INTO part (clip, number, digest, payload) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row
            )
            if done.rowcount == 0:
                raise SpoolError(f"part {part.number} of clip {part.clip} is already spooled")

    def waiting(self, limit: int, after: int = 0) -> list[Spooled]:
        """Give at most `limit` waiting parts in order, those behind the place `after`."""
        with self._lock, self._translated():
            rows = self._database.execute(
                "SELECT place, clip, number, digest, payload FROM part WHERE place > ? ORDER BY place LIMIT ?",
                (after, limit),
            ).fetchall()
        return [Spooled(*row) for row in rows]

    def settle(self, clip: str, number: int, digest: str) -> bool:
        """Forget a part that is safe elsewhere; False where no such part with this digest waits."""
        with self._lock, self._translated():
            done = self._database.execute(
                "DELETE FROM part WHERE clip = ? AND number = ? AND digest = ?", (clip, number, digest)
            )
            return done.rowcount == 1

    def remember(self, name: str, value: str) -> None:
        """Keep a word under a name, on the disk when this returns, instead of what was there."""
        with self._lock, self._translated():
            self._database.execute("INSERT OR REPLACE INTO memo (name, value) VALUES (?, ?)", (name, value))

    def recall(self, name: str) -> str | None:
        """Give what was kept under a name; None where nothing was."""
        with self._lock, self._translated():
            row = self._database.execute("SELECT value FROM memo WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def summary(self) -> Summary:
        """Count what waits."""
        with self._lock, self._translated():
            row = self._database.execute(
                "SELECT count(DISTINCT clip), count(*), coalesce(sum(length(payload)), 0) FROM part"
            ).fetchone()
        return Summary(*row)

    def close(self) -> None:
        """Close the file; what waits, waits for the next start."""
        with self._lock, self._translated():
            self._database.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn SQLite's errors into one sentence each."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise SpoolError(f"the spool {self.path} is closed") from None
        except sqlite3.OperationalError as error:
            if "disk is full" in str(error):
                raise SpoolError(f"the disk with the spool {self.path} is full; make room on it") from None
            raise SpoolError(f"the spool {self.path} cannot be used ({error}); check the folder and the disk") from None
        except sqlite3.DatabaseError as error:
            raise SpoolError(f"the spool {self.path} is damaged ({error}); move it away to begin a new one") from None
