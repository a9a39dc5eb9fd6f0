"""Runs for months: a new run directory every so many hours, so that none grows without bound, and old ones go."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from device import shelf
from device.audio import Block
from device.config import KeepSettings
from device.errors import DeviceError
from device.events import Event, Kind, Stream
from device.rundir import RunDirectory
from uplink.message import JSON
from wakeword.frames import HOP
from wakeword.sound import RATE

Tell = Callable[[str, "Mapping[str, JSON]"], None]
_PATIENCE = RATE * 3600
"""Samples for which a run that is due waits for a quiet moment, a heartbeat; after that any hop will do.

And those after which one that broke off is followed by another: a full disk takes the names of new ones for long.
"""


class RollingRuns:
    """Writes what a device does into run directories inside one folder, one after the other; see `RunDirectory`.

    A run is closed, and old ones are deleted by `keep`, on a thread of its own; each deletion is an event
    ``runs_removed`` (runs, bytes, why). Where a directory cannot be made, or no longer be written, that is one event
    ``runs_error`` (reason) and nothing is written down until one can be. No clip is cut: while one is open the run goes
    on.
    """

    def __init__(
        self,
        folder: Path,
        stream: Stream,
        words: tuple[str, ...],
        keep: Callable[[], KeepSettings],
        manifest: Callable[[], Mapping[str, JSON]],
        tell: Tell,
        *,
        keep_audio: bool = False,
    ) -> None:
        """Make the folder and its first run; `keep`, and `manifest` for each `run.json`, are asked each time.

        Raises DeviceError where that cannot be.
        """
        self.folder, self._stream, self._words = folder, stream, words
        self._keep, self._tell, self._keep_audio = keep, tell, keep_audio
        self._manifest = manifest
        hours = keep().run_hours
        self._length = RATE * 24 * 3600 if hours is None else round(RATE * 3600 * hours)
        self._begin = 0
        self._troubled = self._too_large = False
        self._run: RunDirectory | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DeviceError(f"{folder} cannot be written ({error.strerror}); choose another with --out") from None
        self._run = self._open(0)
        self._ended: queue.SimpleQueue[RunDirectory | None] = queue.SimpleQueue()
        self._keeper = threading.Thread(target=self._tidy, name="run-keeper", daemon=True)
        self._keeper.start()

    def hear(self, block: Block) -> None:
        """Take what the microphone heard, where audio is kept."""
        if self._run is not None:
            self._run.hear(block)

    def note(self, event: Event) -> None:
        """Take an event, in order; an observer of `device.runtime.Runtime`."""
        if event.kind == Kind.CLOCK_SET:
            self._stream = Stream.from_zero(self._stream.device, str(event.facts["zero"]))
        if self._run is not None:
            self._run.note(event)
            if self._run.broken is not None:
                self._say_trouble(self._run.broken)
            elif event.kind != Kind.HOP:  # which is written at the end
                self._troubled = False
        if self._is_due(event):
            self._roll(event.sample)

    def _is_due(self, event: Event) -> bool:
        if event.kind not in (Kind.HOP, Kind.HEARTBEAT) or event.sample % HOP:
            return False
        if self._run is not None and self._run.capturing:
            return False
        over = event.sample - self._begin - self._length
        quiet = event.kind == Kind.HEARTBEAT
        broken = self._run is not None and self._run.broken is not None
        wanting = self._run is None or (broken and event.sample - self._begin >= _PATIENCE)
        return over >= _PATIENCE or (quiet and (over >= 0 or self._too_large or wanting))

    def _roll(self, sample: int) -> None:
        ended, self._begin, self._too_large = self._run, sample, False
        try:
            self._run = self._open(sample)
        except DeviceError as error:
            self._run = None
            self._say_trouble(str(error))
        if ended is not None:
            self._ended.put(ended)

    def _say_trouble(self, reason: str) -> None:
        """Tell it, once until something was written again."""
        if not self._troubled:
            self._troubled = True
            self._tell("runs_error", {"reason": reason})

    def _open(self, sample: int) -> RunDirectory:
        try:
            name = shelf.name_of(shelf.next_number(self.folder), self._stream.utc_at(sample))
        except OSError as error:
            raise DeviceError(f"{self.folder} cannot be read ({error.strerror}); choose another with --out") from None
        return RunDirectory(self.folder / name, self._stream, self._words, keep_audio=self._keep_audio, begin=sample)

    def close(self) -> dict[str, Any] | None:
        """End the run at hand; gives the content of its `run.json`, and raises as `RunDirectory.close` does."""
        self._ended.put(None)
        self._keeper.join()
        return None if self._run is None else self._run.close(self._manifest())

    # From here on, everything runs on the keeper's thread.

    def _tidy(self) -> None:
        self._remove_old()
        while (ended := self._next()) is not None:
            told = ended.broken is not None
            try:
                ended.close(self._manifest())
            except DeviceError as error:
                if not told:
                    self._tell("runs_error", {"reason": str(error)})
            self._remove_old()

    def _next(self) -> RunDirectory | None:
        """Wait for a run that has ended, and look after the disk meanwhile; None is the end."""
        while True:
            try:
                return self._ended.get(timeout=_LOOK_S)
            except queue.Empty:
                self._remove_old()

    def _remove_old(self) -> None:
        keep, open_run = self._keep(), self._run
        try:
            runs = shelf.shelved(self.folder)
            under_way = [run for run in runs if open_run is not None and run.path == open_run.folder]
            size = sum(run.size for run in under_way)
            self._too_large = keep.run_mb is not None and size > keep.run_mb * 500_000
            gone = shelf.overdue([run for run in runs if run not in under_way], keep, size)
            for run in gone:
                shelf.remove(run)
        except OSError as error:
            self._tell("runs_error", {"reason": f"{self.folder} cannot be tidied ({error.strerror}); check the disk"})
            return
        if gone:
            names: list[JSON] = [run.path.name for run in gone]
            self._tell("runs_removed", {"runs": names, "bytes": sum(run.size for run in gone)})


_LOOK_S = 600.0
"""How often to look whether the runs have grown too large."""
