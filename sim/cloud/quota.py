"""How much sound a far end's store may hold, so that it does not fill the disk that others need too."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from sim.cloud.files import Files
from sim.cloud.settings import DeletionSettings
from sim.errors import StoreAwayError, StoreError

MB = 1_000_000
SPARE = 0.1
"""Of the quota: so much is made free at once, and by so much it may be exceeded while that goes on."""
_RECOUNT_S = 30.0
"""How often a full store is counted again: somebody else may have deleted."""


class StoreFullError(StoreAwayError):
    """The store holds as much as it may: what is turned away stays with the devices."""


class Quota:
    """The sound in a store of files, counted when that is first wanted, and by `count`; what is added between is told.

    For any number of threads. Several programs on one store each know only their own additions until they count.
    """

    def __init__(
        self, files: Files, most_mb: int, deletes: bool, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        """`deletes`: whether somebody deletes the oldest where it is full. Raises StoreError where it is no folder."""
        if files.folder is None:
            raise StoreError(
                f"the store {files.shown} is no folder, so deletion.keep_mb cannot hold; set a limit where it is kept"
            )
        self._folder, self._shown, self._clock = files.folder, files.shown, monotonic_s
        self.most, self.deletes = most_mb * MB, deletes
        self._lock = threading.Lock()
        self._held = 0
        self._counted_s: float | None = None

    @staticmethod
    def of(files: Files, settings: DeletionSettings) -> Quota | None:
        """Give the quota that is set, if one is."""
        return None if settings.keep_mb is None else Quota(files, settings.keep_mb, settings.when_full == "oldest")

    @property
    def held(self) -> int:
        """Bytes of sound, as far as is known: none before it was counted."""
        return self._held

    def add(self, size: int) -> None:
        """Note that so many bytes were written."""
        with self._lock:
            self._held += size

    def count(self) -> dict[str, int]:
        """Count what is on the disk; gives the bytes of each clip, its messages with it. Raises StoreAwayError."""
        sizes: dict[str, int] = {}
        try:
            for clip, size in self._sounds():
                sizes[clip] = sizes.get(clip, 0) + size
        except OSError as error:
            raise StoreAwayError(
                f"{error.filename or self._shown} cannot be counted ({error.strerror}); check the disk and your rights"
            ) from None
        with self._lock:
            self._held, self._counted_s = sum(sizes.values()), self._clock()
        return sizes

    def require_room(self) -> None:
        """Raise StoreFullError where nothing more may be stored, StoreAwayError where that cannot be told."""
        most = self.most * (1 + SPARE) if self.deletes else self.most
        counted_s = self._counted_s
        if counted_s is None or (self._held >= most and self._clock() - counted_s > _RECOUNT_S):
            self.count()
        if self._held >= most:
            raise StoreFullError(
                f"the store {self._shown} holds the {self.most // MB} MB that deletion.keep_mb allows; allow more, "
                "delete some (misheard review delete), or let the oldest go (deletion.when_full: oldest)"
            )

    def _sounds(self) -> Iterator[tuple[str, int]]:
        for kind in ("audio", "messages"):
            for device in _inside(self._folder / kind):
                for clip in _inside(device):
                    yield clip.name, _size(clip)


def _inside(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _size(folder: Path) -> int:
    with suppress(FileNotFoundError), os.scandir(folder) as files:  # it may be deleted meanwhile
        return sum(file.stat().st_size for file in files)
    return 0
