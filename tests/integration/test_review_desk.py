"""The desk on a real PostgreSQL, and two programs at one desk, on each kind of database."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from sim.cloud.schema import AuditRow
from sim.errors import StoreAwayError
from sim.review.sampling import draw
from tests.desk_cases import CASES, MUNDANE, assert_apart, desk_of, everything
from tests.postgres_kit import PostgreSQL
from tests.review_kit import Programme
from tests.uplink_kit import DEADLINE_S, free_port

ROOT = Path(__file__).resolve().parents[2]
_WORKER = """
import sys
from pathlib import Path
from tests.desk_cases import MUNDANE, everything
from tests.review_kit import Programme, seeded
from sim.errors import TaskGoneError
from sim.review.desk import Desk

folder, database, names = Path(sys.argv[1]), sys.argv[2] or None, sys.argv[3].split(",")
programme = Programme(folder, database)
desk = Desk(programme.store, everything(double="1"), programme.audit, programme.clock, seeded())
print("ready", flush=True)
sys.stdin.readline()
left = list(names)
while left:
    for name in list(left):
        task = desk.next_task(name)
        if task is None:
            left.remove(name)
            continue
        try:
            desk.submit(task.id, name, MUNDANE)
        except TaskGoneError:
            continue
        print(task.id, flush=True)
programme.close()
"""


@pytest.fixture(scope="module")
def postgresql(needs: Callable[[str], str]) -> Iterator[PostgreSQL]:
    with PostgreSQL(needs("postgresql")) as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_postgresql(case: Callable[[Programme], None], postgresql: PostgreSQL, tmp_path: Path) -> None:
    programme = Programme(tmp_path, postgresql.database(f"desk{free_port()}"))
    try:
        case(programme)
    finally:
        programme.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_programs_never_share_a_task(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    database = ""
    if kind == "postgresql":
        running: PostgreSQL = request.getfixturevalue("postgresql")
        database = running.database(f"desk{free_port()}")
    programme = Programme(tmp_path, database or None)
    programme.rows(programme.customer(1), 30)
    draw(programme.store, everything(double="1"), 1, programme.audit, programme.clock)
    # Bob sits at both.
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(tmp_path), database, who],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for who in ("ann,bob", "bob,cyd")
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    done = [worker.communicate(timeout=3 * DEADLINE_S)[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert len({*done[0], *done[1]}) == len(done[0]) + len(done[1]) == 60
    if kind == "postgresql":  # SQLite lets one writer in at a time, and whoever waits looks but now and then
        assert done[0]
        assert done[1]
    assert_apart(programme)
    programme.close()


def test_the_log_on_postgresql(postgresql: PostgreSQL, tmp_path: Path) -> None:
    programme = Programme(tmp_path, postgresql.database(f"desk{free_port()}"))
    CASES[0](programme)
    with programme.store.database.writing() as session:
        session.execute(update(AuditRow).where(AuditRow.number == 3).values(who="bob"))
    assert str(programme.audit.verify()).startswith("entry 3: it was changed")
    with programme.store.database.writing() as session:
        session.execute(update(AuditRow).where(AuditRow.number == 3).values(who="ann"))
        session.execute(delete(AuditRow).where(AuditRow.number > 4))
    assert str(programme.audit.verify()).startswith("entry 5: it was removed from the end")
    programme.close()


def test_a_database_that_goes_and_comes_back_loses_no_task(postgresql: PostgreSQL, tmp_path: Path) -> None:
    programme = Programme(tmp_path, postgresql.database(f"desk{free_port()}"))
    programme.rows(programme.customer(1), 2)
    desk = desk_of(programme, everything())
    task = desk.next_task("ann")
    assert task is not None
    postgresql.stop(signal.SIGINT)
    try:
        with pytest.raises(StoreAwayError, match="cannot be used"):
            desk.next_task("bob")
        with pytest.raises(StoreAwayError, match="cannot be used"):
            desk.submit(task.id, "ann", MUNDANE)
    finally:
        postgresql.start()
    desk.submit(task.id, "ann", MUNDANE)
    other = desk.next_task("bob")
    assert other is not None
    assert other.id != task.id
    assert programme.audit.verify() is None
    programme.close()
