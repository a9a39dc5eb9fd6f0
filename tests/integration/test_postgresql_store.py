"""What the store does on PostgreSQL as it does on SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests import migration_cases
from tests.postgres_kit import PostgreSQL
from tests.uplink_kit import free_port


@pytest.fixture(scope="module")
def postgresql(needs: Callable[[str], str]) -> Iterator[PostgreSQL]:
    with PostgreSQL(needs("postgresql")) as running:
        yield running


@pytest.mark.parametrize("case", migration_cases.CASES, ids=lambda case: case.__name__)
def test_migrations(case: Callable[[str], None], postgresql: PostgreSQL) -> None:
    case(postgresql.database(f"migrations{free_port()}").replace("postgresql:", "postgresql+psycopg:"))
