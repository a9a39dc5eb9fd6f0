"""Where the far end keeps sound: a folder, or any place that fsspec reaches."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import fsspec
from fsspec.implementations.local import LocalFileSystem

from sim.errors import StoreAwayError, StoreError

_SYNCS = 8
"""Files that are synced at the same time: a journal takes them all in one go."""


class Files:
    """Bytes under names like ``dot/dot-1-000/00001.flac``; what `write_all` has written is on the disk.

    For any number of threads and programs. `folder` is the local folder, None where the root is elsewhere; `shown` is
    the root as it may be told to anybody.
    """

    def __init__(self, root: Path | str) -> None:
        """Take a folder (made where it is missing) or an fsspec URL; raises StoreError where it cannot be used."""
        self.shown = _without_secrets(str(root))
        self._pool = ThreadPoolExecutor(_SYNCS, "store-sync")  # which has no thread before it is needed
        try:
            self._fs, self._base = fsspec.core.url_to_fs(str(root))
        except ImportError as error:
            missing = getattr(error.__cause__, "name", None) or error.name
            raise StoreError(f"the store {self.shown} needs {missing}; install it: pip install {missing}") from None
        except ValueError as error:
            raise StoreError(f"the store {self.shown} cannot be reached ({error}); name a folder instead") from None
        except Exception as error:  # noqa: BLE001 - some look for their server now, and each has faults of its own
            self._away("reached", error)
        self.folder = Path(self._base) if isinstance(self._fs, LocalFileSystem) else None
        if self.folder is not None:
            try:
                self._sync_all(_make_folders(self.folder))
            except OSError as error:
                raise StoreError(
                    f"the store {self.folder} cannot be written ({error.strerror}); name another with --store"
                ) from None

    def close(self) -> None:
        """End the threads that write."""
        self._pool.shutdown()

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Write files, each as a whole or not at all; raises StoreAwayError, and then some of them may be there."""
        if self.folder is not None:
            try:
                self._write_durably({self.folder / name: data for name, data in files.items()})
            except OSError as error:
                raise StoreAwayError(
                    f"{next(iter(files))} cannot be written to the store {self.folder} ({error.strerror}); "
                    "make room or mend it"
                ) from None
            return
        paths = {f"{self._base}/{name}": data for name, data in files.items()}
        with self._reached("written"):
            try:
                self._fs.pipe(paths)
            except FileNotFoundError:  # it knows folders
                for folder in dict.fromkeys(path.rpartition("/")[0] for path in paths):
                    self._fs.makedirs(folder, exist_ok=True)
                self._fs.pipe(paths)

    def read(self, name: str) -> bytes:
        """Give a file's bytes; raises StoreError where it is gone, StoreAwayError where nothing can be read."""
        with self._reached("read"):
            try:
                data: bytes = self._fs.cat_file(f"{self._base}/{name}")
            except FileNotFoundError:
                raise StoreError(f"{name} is gone from the store {self.shown}; bring it back from a copy") from None
        return data

    def remove(self, name: str) -> None:
        """Remove a file, as well as it goes."""
        with suppress(Exception):  # it only takes room
            self._fs.rm_file(f"{self._base}/{name}")

    def erase_all(self, folders: Sequence[str]) -> None:
        """Remove folders and all that is under them, for good; raises StoreAwayError. They may be gone already."""
        with self._reached("emptied"):
            if self.folder is not None:
                # As text: of ten thousand folders most may not be there.
                gone = [path for name in folders if os.path.isdir(path := f"{self.folder}/{name}")]  # noqa: PTH112
                for path in gone:
                    with suppress(FileNotFoundError):  # another far end does the same
                        shutil.rmtree(path)
                self._sync_all(Path(path).parent for path in gone)
                return
            self._fs.invalidate_cache()
            for name in folders:
                for file in self._fs.find(f"{self._base}/{name}"):
                    with suppress(FileNotFoundError):  # likewise
                        self._fs.rm_file(file)

    def names(self) -> Iterator[str]:
        """Give the name of every file there is, in order; raises StoreAwayError."""
        with self._reached("listed"):
            self._fs.invalidate_cache()
            found = sorted(self._fs.find(self._base))
        for path in found:
            yield str(path).removeprefix(self._base).lstrip("/")

    def _write_durably(self, files: Mapping[Path, bytes]) -> None:
        changed: list[Path] = []  # folders
        for folder in dict.fromkeys(path.parent for path in files):
            changed += [*_make_folders(folder), folder]
        # Names of their own, or the rename of one who writes the same could publish what another has half written.
        drafts = {path.with_name(f".{path.name}.{secrets.token_hex(4)}"): path for path in files}
        try:
            for draft, path in drafts.items():
                with draft.open("xb") as file:
                    file.write(files[path])
            self._sync_all(drafts)
            for draft, path in drafts.items():
                draft.replace(path)
        except OSError:
            for draft in drafts:
                draft.unlink(missing_ok=True)
            raise
        self._sync_all(changed)  # or the names may be lost with the power, and a receipt would have lied

    def _sync_all(self, paths: Iterable[Path]) -> None:
        """Sync each of them once."""
        each = list(dict.fromkeys(paths))
        for _ in map(_sync, each) if len(each) < 2 else self._pool.map(_sync, each):
            pass

    @contextmanager
    def _reached(self, deed: str) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - every kind of place has its own faults, and they share no base
            self._away(deed, error)

    def _away(self, deed: str, error: Exception) -> NoReturn:
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise StoreAwayError(
            f"the store {self.shown} cannot be {deed} ({why}); check its address and your rights"
        ) from None


def _without_secrets(root: str) -> str:
    scheme, mark, rest = root.rpartition("://")
    return scheme + mark + rest.rpartition("@")[2] if mark else root


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it, and give in which folders there is a new name: that is not on the disk yet."""
    if folder.is_dir():
        return []
    above = _make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    return [*above, folder.parent]


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
