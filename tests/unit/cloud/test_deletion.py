"""Messages and deletions, on SQLite and a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sim.cloud.database import Database
from sim.cloud.files import Files
from sim.cloud.order import order_of
from sim.cloud.store import ClipStore
from tests.deletion_cases import CASES, HOUR, Place, today


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    store = ClipStore(tmp_path)
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite'}")
    files = Files(tmp_path)
    yield Place(store, database, files)
    files.close()
    database.close()
    store.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_sqlite_and_a_folder(case: Callable[[Place], None], place: Place) -> None:
    case(place)


def test_what_an_earlier_run_did_not_come_to_delete_goes_as_the_store_is_opened(place: Place, tmp_path: Path) -> None:
    clip = place.clip(HOUR)
    with place.database.writing() as session:
        place.store.deletions.begin(session, order_of(today(clip)))
    assert place.sounds(clip)
    ClipStore(tmp_path).close()
    assert place.sounds(clip) == []
