"""Training sets that were written out of the store, as far as a deletion can still reach them."""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

TABLE = "metadata.csv"


def remove_files(folder: Path, files: Sequence[str]) -> bool:
    """Remove files of an AudioFolder, and their lines of its metadata.csv; False where the folder is not there.

    files: relative to the folder. Some may be gone already. Raises OSError.
    """
    if not folder.is_dir():
        return False
    for name in files:
        (folder / name).unlink(missing_ok=True)
    tables = sorted({folder / TABLE, *((folder / name).parent / TABLE for name in files)})
    for table in tables:
        if table.is_file():
            _strike(table, {os.path.relpath(folder / name, table.parent) for name in files})
    return True


def _strike(table: Path, files: set[str]) -> None:
    """Write a table anew without the lines of these files, whole or not at all."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        fields = rows.fieldnames or ()
        left = [row for row in rows if row.get("file_name") not in files]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(left)
    draft = table.with_name(f".{table.name}.{secrets.token_hex(4)}")
    with draft.open("w", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(table)
