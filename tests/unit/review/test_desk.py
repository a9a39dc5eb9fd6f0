"""The desk on SQLite, and what labels may be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.errors import ReviewError
from sim.review.labels import Labels
from tests.desk_cases import CASES
from tests.review_kit import Programme


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_sqlite(case: Callable[[Programme], None], tmp_path: Path) -> None:
    programme = Programme(tmp_path)
    try:
        case(programme)
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
