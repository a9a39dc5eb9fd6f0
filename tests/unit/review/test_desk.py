"""The desk on SQLite, and what labels may be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sim.errors import ReviewError, StoreAwayError
from sim.review.desk import Desk
from sim.review.labels import Labels
from sim.review.policy import load_policy
from tests.desk_cases import CASES, desk_of
from tests.review_kit import Programme


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_sqlite(case: Callable[[Programme], None], tmp_path: Path) -> None:
    programme = Programme(tmp_path)
    try:
        case(programme)
    finally:
        programme.close()


@pytest.mark.parametrize(
    ("table", "without", "read"),
    [
        ("tasks", "NULL AS id, '2019-april' AS policy, 'taken' AS state, 'ann' AS annotator", "tasks"),
        ("tasks", "NULL AS id, '2019-april' AS policy, 'taken' AS state, 'ann' AS annotator", "next"),
        ("escalations", "NULL AS id, 'open' AS state", "escalations"),
    ],
)
def test_a_row_that_has_lost_its_key_costs_a_sentence(table: str, without: str, read: str, tmp_path: Path) -> None:
    programme = Programme(tmp_path)
    try:
        with closing(sqlite3.connect(tmp_path / "store" / "store.sqlite")) as file:
            others = [column for _, column, *_ in file.execute(f"PRAGMA table_info({table})") if column not in without]
            file.execute(f"DROP TABLE {table}")
            file.execute(f"CREATE TABLE {table} AS SELECT {without}, " + ", ".join(f"'' AS {each}" for each in others))
            file.commit()
        reading: Callable[[Desk], object] = {
            "tasks": Desk.tasks,
            "next": lambda desk: desk.next_task("ann"),
            "escalations": Desk.escalations,
        }[read]
        with pytest.raises(StoreAwayError, match=r"cannot be used \(a row has lost its key\); check disk and file"):
            reading(desk_of(programme, load_policy("2019-april")))
    finally:
        programme.close()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "nice"}, "kind is 'nice': Input should be 'mundane', 'upsetting' or 'criminal'"),
        ({"speakers": 21}, "speakers is 21: Input should be less than or equal to 20"),
        ({"language": "English"}, "language is 'English': String should match pattern"),
        ({"seconds": float("nan")}, "seconds is nan: Input should be a finite number"),
        ({"mood": "gay"}, "mood is 'gay': Extra inputs are not permitted"),
    ],
)
def test_labels_that_are_none_are_one_sentence(fields: dict[str, object], told: str) -> None:
    with pytest.raises(ReviewError) as raised:
        Labels.of(transcript="", addressed=None, wake_word=None, **fields)
    assert str(raised.value).startswith(told)
