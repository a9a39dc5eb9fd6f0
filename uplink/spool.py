"""What the device still owes the far end, on disk: a part stays here until its receipt has come."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeAlias, TypeVar

from uplink import dropped
from uplink.budget import Budget, Held, judge
from uplink.claim import Claim, is_claimed
from uplink.database import DamagedError, Database, FullError
from uplink.dropped import Drop, Why
from uplink.envelope import JSON
from uplink.errors import SpoolError
from uplink.log import CutLog, cut_log
from uplink.rescue import complete, replay_aside, rescue, set_aside
from uplink.schema import checksum, prepare
from uplink.spooled import Deposit, Moment, Spooled, SpooledClip, Summary

__all__ = ["Deposit", "Moment", "OnFact", "Spool", "Spooled", "SpooledClip", "Summary", "no_fact", "no_stream"]

T = TypeVar("T")
OnFact: TypeAlias = Callable[[str, Mapping[str, JSON]], None]

_OVERHEAD_BYTES = 64 * 1024
"""Most that a part needs on the disk beside its payload, the checkpoint with it."""
_SETTLE = """
DELETE FROM part WHERE place IN (
    SELECT part.place FROM json_each(?) AS receipt CROSS JOIN part
    WHERE part.clip = json_extract(receipt.value, '$[0]') AND part.number = json_extract(receipt.value, '$[1]')
    AND part.digest = json_extract(receipt.value, '$[2]')
) RETURNING clip, number
"""
"""In one statement, because after each the sender would have to wait for its turn with the network's thread."""
_CLOCK = "spool.clock"
"""The memo that holds for how many seconds a device has listened, over all its streams."""


def no_stream() -> Moment:
    """Say what time it is for a program that hears no stream: none passes."""
    return Moment(0.0, "")


def no_fact(_kind: str, _facts: Mapping[str, JSON]) -> None:
    """Let it go."""


class Spool:
    """A durable queue of clips in one SQLite file, for any number of threads, and for guests: other programs beside.

    It knows nothing of what a payload is. Where it may hold no more, or the disk is full, whole clips are dropped by
    the budget's policy; a clip once begun is kept to its end while the disk has room. Time is what `now` says, so that
    no clock that jumps makes a clip old. A damaged file is set aside, and what can be read of it goes on in a new one;
    what SQLite would leave out of a damaged log without a word is added, as far as it can be read.

    `on_fact` is told, on the thread of the call: ``dropped`` (clip, parts, size, why, utc), ``spool_rescued`` (reason,
    aside, clips, lost). Every method raises SpoolError, one sentence, for a disk that fails.
    """

    def __init__(
        self,
        path: Path,
        budget: Budget = Budget(),  # noqa: B008 - frozen
        *,
        now: Callable[[], Moment] = no_stream,
        on_fact: OnFact = no_fact,
        guest: bool = False,
    ) -> None:
        """Open the file, or make it (mode 600, with its folders); raises SpoolError where that cannot be.

        A guest leaves a damaged file as it is, and is welcome beside the one program that runs on the spool.
        """
        self.path = path
        self.budget = budget
        self._now = now
        self._on_fact = on_fact
        self._lock = threading.RLock()
        self._facts: list[tuple[str, Mapping[str, JSON]]] = []
        self._closed = False
        self._database: Database | None = None
        self._base_s = 0.0
        self._guest = guest
        self._claim: Claim | None = None
        try:
            self._safely(self._begin)
        except BaseException:
            self.close()
            raise

    def put(
        self, clip: str, number: int, digest: str, payload: bytes, *, last: bool = False, priority: float = 0.0
    ) -> bool:
        """Keep a part, which is on the disk when this returns; False where it was dropped, or is waiting already.

        The clip's first part says how much the clip is wanted: the highest `priority` stays longest. Raises SpoolError
        where something else is kept under its number.
        """
        return self.put_all([Deposit(clip, number, digest, payload, last, priority)])[0]

    def put_all(self, deposits: Sequence[Deposit]) -> list[bool]:
        """Keep parts as `put` does, in their order and in one transaction, which costs the wait for the disk once.

        Where it raises, none of them is kept. On a full disk it does that for more than one, as only parts that come
        alone are weighed against the others then.
        """

        def keep_on_a_full_disk(connection: sqlite3.Connection) -> list[bool]:
            (deposit,) = deposits
            return [self._keep(connection, deposit, len(deposit.payload) + _OVERHEAD_BYTES - self._open.room())]

        def keep(connection: sqlite3.Connection) -> list[bool]:
            return [self._keep(connection, deposit, 0) for deposit in deposits]

        if len(deposits) == 1:
            return self._safely(lambda: self._write(keep, keep_on_a_full_disk))
        return self._safely(lambda: self._write_whole(keep))

    def get(self, clip: str, number: int) -> Spooled | None:
        """Give a waiting part; None where it waits no more."""
        return self._safely(lambda: self._get(clip, number))

    def waiting(self) -> list[tuple[str, int]]:
        """Give clip and number of each waiting part, in the order in which they came."""
        return self._safely(self._waiting)

    def parts(self, clip: str) -> list[tuple[int, int, str]]:
        """Give number, bytes of payload and digest of each waiting part of a clip."""
        sql = "SELECT number, size, digest FROM part WHERE clip = ? ORDER BY number"
        return [(number, size, digest) for number, size, digest in self._safely(lambda: self._open.read(sql, (clip,)))]

    def settle(self, receipts: Iterable[tuple[str, int, str]]) -> set[tuple[str, int]]:
        """Forget parts that are safe elsewhere, by clip, number and digest; gives those that waited with this digest.

        After a power cut some may be there again: that costs a question, and no part.
        """
        rows = list(receipts)

        def forget(connection: sqlite3.Connection) -> set[tuple[str, int]]:
            return set(connection.execute(_SETTLE, (json.dumps(rows),)).fetchall())

        return self._safely(lambda: self._write(forget, durable=False))

    def drop(self, clip: str, why: Why) -> bool:
        """Forget a clip and what is still to come of it, and name it in the report; False where none of it waits."""

        def work(connection: sqlite3.Connection) -> bool:
            here = connection.execute("SELECT 1 FROM clip WHERE name = ?", (clip,)).fetchone() is not None
            if here:
                self._drop(connection, clip, why)
            return here

        return self._safely(lambda: self._write(work))

    def expire(self) -> None:
        """Drop the clips that have waited longer than the budget allows, and keep the time."""

        def work(connection: sqlite3.Connection) -> None:
            self._note_time(connection)
            born = self._time() - self.budget.age_s
            for (clip,) in connection.execute("SELECT name FROM clip WHERE parts AND born < ?", (born,)).fetchall():
                self._drop(connection, clip, "age")

        self._safely(lambda: self._write(work))

    def clips(self) -> list[SpooledClip]:
        """Give the waiting clips, the oldest first."""
        sql = "SELECT name, parts, size, priority, ? - born, utc, closed FROM clip WHERE parts ORDER BY rank"
        rows = self._safely(lambda: self._open.read(sql, (self._time(),)))
        return [
            SpooledClip(clip, parts, size, priority, age_s, utc, bool(closed))
            for clip, parts, size, priority, age_s, utc, closed in rows
        ]

    def summary(self) -> Summary:
        """Count what waits."""
        sql = "SELECT count(*), coalesce(sum(parts), 0), coalesce(sum(size), 0), ? - min(born) FROM clip WHERE parts"
        clips, parts, size, oldest_s = self._safely(lambda: self._open.read(sql, (self._time(),)))[0]
        return Summary(clips, parts, size, oldest_s or 0.0)

    def drops(self) -> list[Drop]:
        """Give the drop report, the newest 10,000 clips of it, in order."""
        rows = self._safely(lambda: self._open.read("SELECT clip, parts, size, why, utc FROM dropped ORDER BY rank"))
        return [Drop(*row) for row in rows]

    def dropped(self) -> dict[str, Summary]:
        """Count what was ever dropped, by why."""
        rows = self._safely(lambda: self._open.read("SELECT why, clips, parts, size FROM dropped_so_far ORDER BY why"))
        return {why: Summary(*counts) for why, *counts in rows}

    def remember(self, name: str, value: str) -> None:
        """Keep a word under a name, on the disk when this returns, instead of what was there."""
        self._safely(lambda: self._write(lambda connection: _remember(connection, name, value)))

    def recall(self, name: str) -> str | None:
        """Give what was kept under a name; None where nothing was."""
        return self._safely(lambda: self._recall(name))

    def close(self) -> None:
        """Close the file; what waits, waits for the next start."""
        with self._lock:
            self._closed = True
            if self._database is not None:
                self._database.close()
            if self._claim is not None:
                self._claim.let_go()

    # From here on, everything runs under the lock.

    @property
    def _open(self) -> Database:
        if self._closed:
            raise SpoolError(f"the spool {self.path} is closed")
        if self._database is None:
            database = Database(self.path)
            try:
                prepare(database)
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    def _safely(self, work: Callable[[], T]) -> T:
        """Do it; on a damaged file, do it on what can be rescued of it. Tell the facts once the lock is free."""
        try:
            with self._lock:
                try:
                    return work()
                except DamagedError as error:
                    if self._guest:
                        raise SpoolError(f"{error}; its device mends it at its next start") from None
                    self._begin_anew(str(error))
                    return work()
        finally:
            with self._lock:
                facts, self._facts = self._facts, []
            for kind, about in facts:
                self._on_fact(kind, about)

    def _write(
        self,
        work: Callable[[sqlite3.Connection], T],
        tight: Callable[[sqlite3.Connection], T] | None = None,
        durable: bool = True,
    ) -> T:
        """Do `work` in a transaction, or on a full disk `tight`, with the help of the reserve."""
        told = len(self._facts)
        try:
            return self._open.write(work, durable=durable)
        except FullError:
            del self._facts[told:]
            return self._open.write(tight or work, tight=True)

    def _write_whole(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in a transaction, and where it fails nothing has happened, and nothing is told of it."""
        told = len(self._facts)
        try:
            return self._open.write(work)
        except BaseException:
            del self._facts[told:]
            raise

    def _begin(self) -> None:
        """Take the spool over, and raise DamagedError where its file does not hold together."""
        log = self._look_at_log()  # before SQLite does, which forgets what it does not take
        database = self._open  # also makes the folder
        if self._guest:
            return
        self._claim = self._claim or Claim(self.path)
        (verdict,) = database.read("PRAGMA integrity_check(1)")[0]
        if verdict != "ok":
            raise DamagedError(f"the spool {self.path} is damaged ({' '.join(verdict.split())})")
        counted = "SELECT count(*), coalesce(sum(size), 0) FROM part WHERE part.clip = clip.name"
        if database.read(f"SELECT 1 FROM clip WHERE (parts, size) <> ({counted}) LIMIT 1"):
            raise DamagedError(f"the spool {self.path} is damaged (parts are gone)")
        for clip, number in self._waiting():
            self._get(clip, number)
        if log is not None:
            self._complete(log)
        self._write(lambda connection: connection.execute("DELETE FROM clip WHERE parts = 0"))
        try:
            self._base_s = float(self._recall(_CLOCK) or 0)
        except ValueError:
            raise DamagedError(f"the spool {self.path} is damaged (its clock is none)") from None

    def _look_at_log(self) -> CutLog | None:
        if self._guest and is_claimed(self.path):
            return None  # somebody writes it
        if not self._guest and self.path.exists():
            self._claim = self._claim or Claim(self.path)
        log = cut_log(self.path)
        if log is not None and self._guest:
            raise SpoolError(f"the log of the spool {self.path} is damaged; its device mends it at its next start")
        return log

    def _complete(self, log: CutLog) -> None:
        """Add what SQLite would not take of a damaged log, as far as it can be read, and name what cannot."""
        aside, utc = replay_aside(self.path, log), self._now().utc
        larger, lost = self._write(lambda connection: complete(aside, connection, utc), durable=True)
        self._open.checkpoint()  # or what is left of the log would be found again
        reason = f"the log of the spool {self.path} is damaged ({log.commits} transactions cannot be read as they are)"
        for drop in lost:
            self._facts.append(("dropped", asdict(drop)))
        told: dict[str, JSON] = {"reason": reason, "aside": str(aside), "clips": larger, "lost": len(lost)}
        self._facts.append(("spool_rescued", told))

    def _begin_anew(self, reason: str) -> None:
        """Set the damaged file aside, and carry what can be read of it into a new one."""
        if self._database is not None:
            self._database.close()
            self._database = None
        self._claim = self._claim or Claim(self.path)
        aside = set_aside(self.path)
        rescued, lost = rescue(aside, self._open, self._now().utc)
        for drop in lost:
            self._facts.append(("dropped", asdict(drop)))
        told: dict[str, JSON] = {"reason": reason, "aside": str(aside), "clips": rescued, "lost": len(lost)}
        self._facts.append(("spool_rescued", told))

    def _get(self, clip: str, number: int) -> Spooled | None:
        sql = "SELECT digest, payload, crc FROM part WHERE clip = ? AND number = ?"
        for digest, payload, crc in self._open.read(sql, (clip, number)):
            if checksum(clip, number, digest, payload) != crc:
                raise DamagedError(f"part {number} of clip {clip} is no longer what was written to {self.path}")
            return Spooled(clip, number, digest, payload)
        return None

    def _waiting(self) -> list[tuple[str, int]]:
        rows = self._open.read("SELECT place, clip, number FROM part")
        return [(clip, number) for _, clip, number in sorted(rows)]

    def _recall(self, name: str) -> str | None:
        rows = self._open.read("SELECT value FROM memo WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else None

    def _keep(self, connection: sqlite3.Connection, deposit: Deposit, lacking: int) -> bool:
        clip, number, digest, payload, last, priority = deposit
        kept = connection.execute("SELECT digest FROM part WHERE clip = ? AND number = ?", (clip, number)).fetchone()
        if kept is not None:
            if kept != (digest,):
                raise SpoolError(f"part {number} of clip {clip} is already spooled with other audio")
            return False
        if not self._admit(connection, clip, len(payload), lacking):
            return False
        connection.execute(
            "INSERT INTO clip (name, born, utc, priority, closed) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET closed = closed OR excluded.closed",
            (clip, self._time(), self._now().utc, priority, last),
        )
        connection.execute(
            "INSERT INTO part (clip, number, digest, size, crc, payload) VALUES (?, ?, ?, ?, ?, ?)",
            (clip, number, digest, len(payload), checksum(clip, number, digest, payload), payload),
        )
        self._note_time(connection)
        return True

    def _time(self) -> float:
        return self._base_s + self._now().seconds

    def _note_time(self, connection: sqlite3.Connection) -> None:
        if not self._guest:
            _remember(connection, _CLOCK, f"{self._time():.0f}")

    def _admit(self, connection: sqlite3.Connection, clip: str, size: int, lacking: int) -> bool:
        """Make room for a part, or drop its clip; whether it may be kept."""
        why = dropped.why_dropped(connection, clip)
        if why is not None:
            self._drop(connection, clip, why, 1, size)
            return False
        (total,) = connection.execute("SELECT coalesce(sum(size), 0) FROM clip").fetchone()
        if total + size <= self.budget.size and lacking <= 0:
            return True
        sql = "SELECT name, size, priority FROM clip WHERE parts AND name <> ? ORDER BY rank"
        others = [Held(*row) for row in connection.execute(sql, (clip,))]
        own = connection.execute("SELECT size FROM clip WHERE name = ?", (clip,)).fetchone()
        verdict = judge(self.budget, others, own[0] if own else 0, size, lacking, begun=own is not None)
        for victim in verdict.victims:
            self._drop(connection, victim, "disk_full" if lacking > 0 else "full")
        if not verdict.keep:
            self._drop(connection, clip, "disk_full" if lacking > 0 else "refused", 1, size)
        return verdict.keep

    def _drop(self, connection: sqlite3.Connection, clip: str, why: Why, parts: int = 0, size: int = 0) -> None:
        drop = dropped.forget(connection, clip, why, self._now().utc, more_parts=parts, more_size=size)
        self._facts.append(("dropped", asdict(drop)))


def _remember(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute(
        "INSERT INTO memo VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
    )
