from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from sim.errors import LabError
from sim.lab.parquet import GROUP, Parquet, column_type

COLUMNS = {"n": int, "level": float, "at": str, "woke": bool}
ROWS: list[dict[str, Any]] = [
    {"n": 1, "level": 2, "at": [1.0, 2.0], "woke": True},
    {"n": None, "level": None, "at": "kitchen", "woke": None},
]


def test_rows_come_back_with_their_types_and_manifest(tmp_path: Path) -> None:
    Parquet(tmp_path / "a.parquet").write(COLUMNS, ROWS, {"seed": 1})
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert table.to_pylist() == [{"n": 1, "level": 2.0, "at": "[1.0, 2.0]", "woke": True}, ROWS[1]]
    assert [str(kind) for kind in table.schema.types] == ["int64", "double", "string", "bool"]
    assert json.loads(table.schema.metadata[b"misheard"]) == {"seed": 1}


def test_the_same_rows_are_the_same_bytes_and_none_are_a_table_too(tmp_path: Path) -> None:
    for name, rows in (("a", ROWS), ("b", ROWS), ("c", [])):
        Parquet(tmp_path / name).write(COLUMNS, rows, {})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert pyarrow.parquet.read_table(tmp_path / "c").num_rows == 0


def test_rows_are_never_in_memory_all_at_once(tmp_path: Path) -> None:
    Parquet(tmp_path / "a").write({"n": int}, ({"n": n} for n in range(2 * GROUP + 1)), {})
    file = pyarrow.parquet.ParquetFile(tmp_path / "a")
    assert file.metadata.num_row_groups == 3
    assert file.read()["n"].to_pylist()[-1] == 2 * GROUP


@pytest.mark.parametrize(
    ("values", "kind"),
    [([True, None], bool), ([1, 2], int), ([1, 2.5], float), (["a", None], str), ([[1], [2]], str), ([1, "a"], str)],
)
def test_a_column_is_as_narrow_as_its_values(values: list[Any], kind: type) -> None:
    assert column_type(values) is kind


def test_without_pyarrow_a_sentence_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(LabError, match=r"install it with: pip install pyarrow$"):
        Parquet(tmp_path / "a.parquet")
