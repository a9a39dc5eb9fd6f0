"""Deletion that reaches everything, on SQLite; on PostgreSQL see tests/integration/test_postgresql_store.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.erasure_cases import CASES, Archive


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_sqlite(case: Callable[[Archive], None], tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    case(archive)
    archive.close()
