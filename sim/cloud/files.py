"""Where the far end keeps sound: a folder, or any place that fsspec reaches."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from sim.errors import StoreError


class Files:
    """Bytes under names like ``dot/dot-1-000/00001.flac``; what `write` has written is on the disk.

    `folder` is the local folder, None where the root is elsewhere.
    """

    def __init__(self, root: Path | str) -> None:
        """Take a folder (made where it is missing) or an fsspec URL; raises StoreError where it cannot be used."""
        self._root = str(root)
        try:
            self._fs, self._base = fsspec.core.url_to_fs(self._root)
        except (ImportError, ValueError) as error:
            raise StoreError(f"the store {self._root} cannot be reached ({error}); name a folder instead") from None
        self.folder = Path(self._base) if isinstance(self._fs, LocalFileSystem) else None
        if self.folder is not None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"the store {self.folder} cannot be written ({error.strerror}); name another with --store"
                ) from None

    def write(self, name: str, data: bytes) -> None:
        """Write a file as a whole or not at all; raises StoreError."""
        try:
            if self.folder is None:
                self._fs.makedirs(f"{self._base}/{os.path.dirname(name)}", exist_ok=True)  # noqa: PTH120 - it is no path here
                self._fs.pipe_file(f"{self._base}/{name}", data)
            else:
                _write_durably(self.folder / name, data)
        except OSError as error:
            raise StoreError(
                f"{name} cannot be written to the store {self._root} ({error.strerror or error}); make room or mend it"
            ) from None

    def read(self, name: str) -> bytes:
        """Give a file's bytes; raises StoreError where it is gone."""
        try:
            data: bytes = self._fs.cat_file(f"{self._base}/{name}")
        except OSError as error:
            raise StoreError(f"{name} is gone from the store {self._root} ({error.strerror or error})") from None
        return data


def _write_durably(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or the name may be lost with the power, and a receipt would have lied
    finally:
        os.close(folder)
