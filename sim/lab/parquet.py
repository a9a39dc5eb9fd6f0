"""Tables as Parquet: the only file that imports pyarrow (optional)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from sim.errors import LabError

GROUP = 10_000
"""Rows that are in memory at a time."""


class Parquet:
    """A table to be: made before the long work. Raises LabError where pyarrow is not installed."""

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            install = "install it with: pip install pyarrow"
            raise LabError(f"a Parquet table needs pyarrow, which is not installed; {install}") from None
        self._path, self._arrow = path, pyarrow

    def write(
        self, columns: Mapping[str, type], rows: Iterable[Mapping[str, Any]], manifest: Mapping[str, Any]
    ) -> None:
        """Write rows, the same bytes for the same rows; any value may be None. Raises LabError.

        Columns are bool, int (64 bits), float or str; others of their values than these are written as JSON. The
        manifest is in the metadata of the schema, under ``misheard``.
        """
        arrow = self._arrow
        types = {bool: arrow.bool_(), int: arrow.int64(), float: arrow.float64(), str: arrow.string()}
        told = {"misheard": json.dumps(manifest, sort_keys=True, ensure_ascii=False)}
        schema = arrow.schema([(name, types[kind]) for name, kind in columns.items()], metadata=told)
        part = self._path.with_name(f".{self._path.name}.part")
        pending = iter(rows)
        try:
            with arrow.parquet.ParquetWriter(part, schema, compression="zstd") as writer:
                while group := list(islice(pending, GROUP)):
                    arrays = [
                        arrow.array([_cell(row[name], kind) for row in group], types[kind])
                        for name, kind in columns.items()
                    ]
                    writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            part.replace(self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise LabError(f"{self._path} cannot be written ({error.strerror or error}); make room there") from None


def column_type(values: Iterable[Any]) -> type:
    """The narrowest type of a column for these values."""
    kinds = {type(value) for value in values if value is not None}
    for kind in (bool, int, str):
        if kinds <= {kind}:
            return kind
    return float if kinds <= {int, float} else str


def _cell(value: Any, kind: type) -> Any:
    if value is None or kind is not str:
        return value if value is None else kind(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
