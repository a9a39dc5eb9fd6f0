"""Files that are there whole or not at all, also when the power goes in the middle of writing them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO

HALF = ".new"
"""How a file is called, after its name, until all of it is on the disk."""


def write(path: Path, content: bytes, *, settle: bool = True) -> None:
    """Write a file, in place of one that may be there; it is on the disk when this returns. Raises OSError.

    Without `settle` that is left to a later `settle`, and until then a power cut may leave it empty.
    """
    half = path.with_name(path.name + HALF)
    try:
        with half.open("wb") as file:
            file.write(content)
            if settle:
                _sync(file)
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    if settle:
        _sync_folder(path.parent)


def settle(paths: Iterable[Path]) -> None:
    """Have files of one folder on the disk when this returns; raises OSError."""
    folder = None
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
        folder = path.parent
    if folder is not None:
        _sync_folder(folder)


def close(file: IO[str]) -> None:
    """Close a file that was written bit by bit; all of it is on the disk when this returns. Raises OSError."""
    try:
        _sync(file)
    finally:
        file.close()


def _sync(file: IO[str] | IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
