"""What the store does on PostgreSQL as it does on SQLite, and what becomes of deletions while PostgreSQL is away."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sim.cloud.order import Order
from sim.errors import StoreAwayError
from tests import erasure_cases, migration_cases
from tests.erasure_cases import ANN, NOW, Archive
from tests.postgres_kit import PostgreSQL
from tests.uplink_kit import free_port


@pytest.fixture(scope="module")
def postgresql(needs: Callable[[str], str]) -> Iterator[PostgreSQL]:
    with PostgreSQL(needs("postgresql")) as running:
        yield running


@pytest.mark.parametrize("case", migration_cases.CASES, ids=lambda case: case.__name__)
def test_migrations(case: Callable[[str], None], postgresql: PostgreSQL) -> None:
    case(postgresql.database(f"migrations{free_port()}").replace("postgresql:", "postgresql+psycopg:"))


@pytest.mark.parametrize("case", erasure_cases.CASES, ids=lambda case: case.__name__)
def test_deletions(case: Callable[[Archive], None], postgresql: PostgreSQL, tmp_path: Path) -> None:
    archive = Archive(tmp_path, postgresql.database(f"erasure{free_port()}"))
    case(archive)
    archive.close()


def test_a_deletion_ends_when_the_database_is_back(postgresql: PostgreSQL, tmp_path: Path) -> None:
    archive = Archive(tmp_path, postgresql.database(f"away{free_port()}"))
    archive.everything(archive.clip())
    order = Order("customer", "Ann", "all", NOW, ANN)

    def pull_the_plug(_clips: object) -> int:
        postgresql.stop(signal.SIGINT)  # throws everybody out, and needs no recovery of a dozen databases
        return 0

    archive.store.deletions.on_gone.append(pull_the_plug)
    with pytest.raises(StoreAwayError, match="check that it runs and lets you in"):
        archive.store.delete(order)
    with pytest.raises(StoreAwayError):
        archive.store.deletions.resume()
    postgresql.start()
    archive.store.deletions.on_gone.clear()
    assert archive.store.deletions.resume() == 1
    assert archive.left() == []
    assert archive.store.delete(order) == order.id
    assert archive.places(order.id)["audio"] == ("done", 1)
    archive.close()
