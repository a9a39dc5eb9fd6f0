"""A run as it goes on: the events that its directory gains, and what the device hears just now."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from device.gauge import FILE as GAUGE
from device.rundir import DEVICES

News: TypeAlias = Mapping[str, Any]

SHOWN = {
    *("light", "state", "wake", "wake_refused", "near_miss", "capture_begin", "capture_end", "part_sent", "receipt"),
    *("connected", "disconnected", "mute", "prompt", "prompt_end", "audio_lost", "dropped", "refused", "message"),
    *("deleted", "delete_clip", "verified"),
}
"""Events of the device and its far end. What a simulation knows besides, such as what was really said, is not shown."""
_LOOK_BACK = 256 * 1024
_STALE_S = 2.0
"""A gauge that was not written for so long is that of a device that died."""


def folder_of(run: Path, device: str) -> Path | None:
    """The directory of a device in a run; None where it has none there."""
    for folder in (run, *sorted((run / DEVICES).glob("*"))):
        if device_of(folder) == device:
            return folder
    return None


def devices_of(run: Path) -> list[str]:
    """The names of the devices of a run."""
    folders = (run, *sorted((run / DEVICES).glob("*")))
    return [name for name in map(device_of, folders) if name is not None]


def device_of(folder: Path) -> str | None:
    """Whose run a directory is: as it is told while it runs, or at its end."""
    try:
        now = json.loads((folder / GAUGE).read_bytes())
        return str(now["device"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # it does not run
    try:
        run = json.loads((folder / "run.json").read_bytes())
        return str(run["manifest"]["device"]["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


class Tail:
    """Reads what the events of a run gain; a run that begins anew in the same place is followed too."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "events.jsonl"
        self._gauge = folder / GAUGE
        self._file: int | None = None
        self._rest = b""
        self._last: bytes | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def news(self) -> Iterator[News]:
        """Give what came since the last call: events, and whether another run has begun."""
        if self._file is None or self._is_another():
            self.close()
            try:
                self._file = os.open(self._path, os.O_RDONLY)
            except OSError:
                return
            size = os.fstat(self._file).st_size
            os.lseek(self._file, max(0, size - _LOOK_BACK), os.SEEK_SET)
            self._rest = b""
            if size > _LOOK_BACK:
                self._rest = os.read(self._file, _LOOK_BACK).partition(b"\n")[2]
            yield {"begins": True}
        self._rest += os.read(self._file, _LOOK_BACK)
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # a disk that was full has cut it
            if isinstance(event, dict) and event.get("kind") in SHOWN:
                yield {"event": event}

    def now(self) -> News:
        """Give what the device hears just now; nothing but that it does not run, where it does not."""
        try:
            with self._gauge.open("rb") as file:
                content = file.read()
                age = max(0.0, _age(file.fileno()))
            return {"now": json.loads(content) if age < _STALE_S else None}
        except (OSError, ValueError):
            return {"now": None}

    def _is_another(self) -> bool:
        assert self._file is not None
        here = os.fstat(self._file)
        try:
            there = self._path.stat()
        except OSError:
            return False
        return (there.st_ino, there.st_dev) != (here.st_ino, here.st_dev) or there.st_size < os.lseek(
            self._file, 0, os.SEEK_CUR
        )


def _age(file: int) -> float:
    import time

    return time.time() - os.fstat(file).st_mtime
