"""A store of an earlier version is taken up; on PostgreSQL see tests/integration/test_postgresql_store.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.migration_cases import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_sqlite(case: Callable[[str], None], tmp_path: Path) -> None:
    case(f"sqlite:///{tmp_path / 'store.sqlite'}")
