"""What becomes of a store of an earlier version, whatever its database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from sim.cloud.customers import number_of
from sim.cloud.database import Database
from sim.cloud.migrations import NEWEST
from sim.cloud.schema import Base, ClipRow
from sim.errors import StoreError

OLD = Path(__file__).with_name("data") / "store-2026-11.sql"
"""The tables as they were made before there were migrations."""
_DATED = "dot-20180525t013000000000-000000160000"


def make_old(url: str) -> None:
    """Make a store of the earlier version, with two clips: one says when it was in its name, one in its part 0."""
    engine = create_engine(url)
    facts = json.dumps({"utc": "2018-05-25T00:00:00Z"})
    with engine.begin() as connection:
        for statement in OLD.read_text().split(";\n"):
            if statement.strip():
                connection.execute(text(statement))
        for clip, device, begin in ((_DATED, "dot", 160_000), ("lamp-7", "lamp", 32_000)):
            connection.execute(
                text("INSERT INTO clips (id, device, complete) VALUES (:clip, :device, true)"),
                {"clip": clip, "device": device},
            )
            connection.execute(
                text(
                    'INSERT INTO parts (clip, number, last, begin, "end", digest, sealed, facts) '
                    "VALUES (:clip, 0, true, :begin, :begin, 'd', 's', :facts)"
                ),
                {"clip": clip, "begin": begin, "facts": facts},
            )
    engine.dispose()


def an_old_store_is_taken_up(url: str) -> None:
    make_old(url)
    for _ in range(2):  # the second finds nothing to do
        database = Database(url)
        with database.reading() as session:
            found = {row.id: (row.customer, row.utc) for row in session.query(ClipRow)}
        database.close()
        assert found == {
            _DATED: (number_of("dot"), "2018-05-25T01:30:10.000000+00:00"),
            "lamp-7": (number_of("lamp"), "2018-05-25T00:00:02.000000+00:00"),
        }
    assert _differences(url) == []


def a_new_store_is_like_one_that_was_taken_up(url: str) -> None:
    Database(url).close()
    assert _differences(url) == []


def a_store_of_the_future_is_refused(url: str) -> None:
    Database(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == NEWEST
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match=r"of version '9999', which this program does not know; use a newer misheard"):
        Database(url)


CASES = (an_old_store_is_taken_up, a_new_store_is_like_one_that_was_taken_up, a_store_of_the_future_is_refused)


def _differences(url: str) -> list[object]:
    """What the migrated tables have otherwise than those that the program knows."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found: list[object] = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    return found
