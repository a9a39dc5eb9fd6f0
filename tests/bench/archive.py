"""What an archive of a million clips costs: the next task, a customer's page, a deletion, verifying the log."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TypeVar

from sim.cloud.order import Order
from sim.cloud.store import ClipStore
from sim.review.audit import Audit
from sim.review.chain import Entry
from sim.review.desk import Desk
from sim.review.policy import load_policy
from sim.review.signer import Signer
from tests.bench.databases import Plain, PlainPostgresql, PlainSqlite, hash_all
from tests.bench.effort import Effort
from tests.bench.figure import Row, in_turn, latency_rows
from tests.bench.filling import Owner, crowd, give_sound, leaver, tables
from tests.postgres_kit import PostgreSQL
from uplink.keyring import Keyring

NOW = datetime(2019, 6, 1, tzinfo=UTC)
_PAGE = 50
Given = TypeVar("Given")
_OF_CUSTOMER = "(SELECT id FROM clips WHERE customer = %s)"


def rows(effort: Effort) -> Iterator[Row]:
    """Measure SQLite, and PostgreSQL where it is installed."""
    with tempfile.TemporaryDirectory(prefix="misheard-bench-") as folder:
        yield from _rows(effort, Path(folder), "SQLite", None, lambda: PlainSqlite(Path(folder) / "store.sqlite"))
    program = shutil.which("postgres") or next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))), None)
    if program is None:
        for what in ("the next task", "a customer's page", "a customer's deletion", "the log verified"):
            yield Row(f"archive, {what}, PostgreSQL", remark="skipped: PostgreSQL is not installed")
        return
    with tempfile.TemporaryDirectory(prefix="misheard-bench-") as folder, PostgreSQL(str(program)) as server:
        url = server.database("archive")
        yield from _rows(effort, Path(folder), "PostgreSQL", url, lambda: PlainPostgresql(url))


def _rows(effort: Effort, root: Path, database: str, url: str | None, connect: Callable[[], Plain]) -> Iterator[Row]:
    with ExitStack() as stack:
        bench = _Bench(effort, root, url, connect)
        stack.callback(bench.close)
        many = f"{effort.archived:,} clips, {database}"
        tasks = in_turn(effort.asks, effort.warm_up, {"ours": bench.task_ms, "theirs": bench.plain_task_ms})
        yield from latency_rows(
            f"archive, the next task, {database}", tasks["ours"], bench.peer, tasks["theirs"],
            f"of {many}: taken, shown, and written into the log, which is signed; beside it one row locked and marked",
        )  # fmt: skip
        pages = in_turn(effort.asks, effort.warm_up, {"ours": bench.page_ms, "theirs": bench.plain_page_ms})
        yield from latency_rows(
            f"archive, a customer's page, {database}", pages["ours"], bench.peer, pages["theirs"],
            f"{_PAGE} clips of {many}: why each woke, its words, copies and listeners; beside it ids, times and words",
        )  # fmt: skip
        gone = in_turn(effort.deletions, 0, {"ours": bench.delete_ms, "theirs": bench.plain_delete_ms})
        yield from latency_rows(
            f"archive, a customer's deletion, {database}", gone["ours"], bench.peer, gone["theirs"],
            f"{effort.owned:,} of {many}, from every place, with sound for one in ten; beside it 5 tables' rows",
        )  # fmt: skip
        rounds = max(effort.deletions, 3 if effort.deletions > 1 else 1)
        checked = in_turn(rounds, 0, {"ours": bench.verify_ms, "theirs": bench.plain_verify_ms})
        yield from latency_rows(
            f"archive, the log verified, {database}", checked["ours"], bench.peer, checked["theirs"],
            f"{bench.entries:,} entries: chain, signature and noted ends; beside it every value read and hashed",
        )  # fmt: skip


class _Bench:
    """Each method gives the milliseconds that one of its kind took."""

    def __init__(self, effort: Effort, root: Path, url: str | None, connect: Callable[[], Plain]) -> None:
        self._store = ClipStore(root, url, now=lambda: NOW)
        self._plain = connect()
        self.peer = self._plain.name
        leavers = [leaver(number) for number in range(2 * effort.deletions)]
        self._ours, self._theirs = iter(leavers[::2]), iter(leavers[1::2])
        for table, content in tables(effort.archived, leavers, effort.owned):
            self._plain.fill(table, content)
        self._plain.finish()
        for each in leavers[::2]:
            give_sound(self._store, root, each, self._sounds(each))
        signer = Signer.of(Keyring.of_far_end(root))
        self._audit = Audit(self._store.database, signer, [root / "audit.head"])
        self.entries = _fill_log(self._store, self._audit, max(10, effort.archived // 100))
        self._desk = Desk(self._store, load_policy("2019-april"), self._audit, lambda: NOW, random.Random(0))
        self._people, self._names, self._choice = crowd(), count(), random.Random(1)

    def _sounds(self, owner: Owner) -> Sequence[tuple[str, str]]:
        found = self._plain.rows(
            "SELECT id, digest FROM clips JOIN parts ON clip = id WHERE customer = %s ORDER BY id", owner.number
        )
        return [(clip, digest) for clip, digest in found]

    def task_ms(self) -> float:
        who = f"annotator-{next(self._names)}"
        took, task = _timed(lambda: self._desk.next_task(who))
        assert task is not None
        return took

    def plain_task_ms(self) -> float:
        who, locked = f"annotator-{next(self._names)}", " FOR UPDATE SKIP LOCKED" if self.peer == "psycopg" else ""
        first = f"SELECT id FROM tasks WHERE state = 'open' AND queue = 'general' ORDER BY id LIMIT 1{locked}"
        taken = f"UPDATE tasks SET state = 'taken', annotator = %s, taken_until = '9' WHERE id = ({first}) RETURNING id"
        took, found = _timed(lambda: self._plain.change((taken, (who,))))
        assert found
        return took

    def page_ms(self) -> float:
        number = self._choice.choice(self._people).number
        took, page = _timed(lambda: self._store.customer_clips(number, ("2019-01-01", ""), _PAGE))
        assert page
        return took

    def plain_page_ms(self) -> float:
        number = self._choice.choice(self._people).number
        statement = (
            "SELECT id, utc, text FROM clips LEFT JOIN transcripts ON clip = id WHERE customer = %s AND utc < %s "
            f"ORDER BY utc DESC LIMIT {_PAGE}"
        )
        took, page = _timed(lambda: self._plain.rows(statement, number, "2019-01-01"))
        assert page
        return took

    def delete_ms(self) -> float:
        owner = next(self._ours)
        order = Order("customer", "bench", "all", NOW, owner.number)
        took, deletion = _timed(lambda: self._store.delete(order))
        places = {each.place: each for each in self._store.deletions.places(deletion)}
        assert places["audio"].state == "done"
        return took

    def plain_delete_ms(self) -> float:
        number = (next(self._theirs).number,)
        statements = [
            (f"DELETE FROM {table} WHERE clip IN {_OF_CUSTOMER}", number)
            for table in ("annotations", "tasks", "transcripts", "parts")
        ]
        took, _ = _timed(lambda: self._plain.change(*statements, ("DELETE FROM clips WHERE customer = %s", number)))
        return took

    def verify_ms(self) -> float:
        took, fault = _timed(self._audit.verify)
        assert fault is None
        return took

    def plain_verify_ms(self) -> float:
        took, _ = _timed(lambda: hash_all(self._plain.rows("SELECT * FROM audit ORDER BY number")))
        return took

    def close(self) -> None:
        self._plain.close()
        self._store.close()


def _fill_log(store: ClipStore, audit: Audit, entries: int) -> int:
    """Write so many entries, as they come of a clip's way over the desk."""
    with store.database.writing() as session:
        for number in range(entries):
            action = ("view", "listen", "label")[number % 3]
            audit.append(session, Entry("carol", "annotator", action, f"c{number // 3}", "A0000000000", {}), NOW)
    return entries


def _timed(deed: Callable[[], Given]) -> tuple[float, Given]:
    began = time.perf_counter()
    given = deed()
    return 1e3 * (time.perf_counter() - began), given
