"""The run directories of a device that runs for months: which there are, and which go, the oldest first.

Age is what the device has listened since, as in the spool, so that no clock that jumps makes a recording old.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from device.config import KeepSettings
from device.rundir import is_run
from wakeword.sound import RATE

_NAME = re.compile(r"(\d{6,})-\d{8}t\d{6}")


@dataclass(frozen=True)
class Shelved:
    """One run directory: its bytes on the disk, and the seconds in which the device listened (0 where it broke off)."""

    path: Path
    size: int
    listened_s: float


def name_of(number: int, utc: str) -> str:
    """Give the name of the n-th run directory, begun at this UTC (ISO 8601); names sort as they were begun."""
    return f"{number:06d}-{re.sub('[^0-9T]', '', utc[:19]).lower()}"


def shelved(folder: Path) -> list[Shelved]:
    """Look at the run directories in a folder, the oldest first; what else is in it is left alone. Raises OSError."""
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir() and is_run(path)]
    return [Shelved(path, _size(path), _listened_s(path)) for path in sorted(found, key=lambda path: number_of(path))]


def number_of(path: Path) -> int:
    """Give the number in a run directory's name; 0 where it is none."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0


def next_number(folder: Path) -> int:
    """Give the number of the run directory that comes next; raises OSError."""
    return 1 + max((number_of(path) for path in folder.iterdir()), default=0)


def overdue(runs: Sequence[Shelved], keep: KeepSettings, open_size: int = 0) -> list[Shelved]:
    """Choose those that go, the oldest first; `open_size` is what the run under way already holds, in bytes."""
    room = None if keep.run_mb is None else keep.run_mb * 1_000_000 - open_size
    most_s = None if keep.run_days is None else keep.run_days * 86_400
    stay, later_s, held = len(runs), 0.0, 0
    for k in range(len(runs) - 1, -1, -1):
        held += runs[k].size
        if (room is not None and held > room) or (most_s is not None and later_s > most_s):
            break
        stay, later_s = k, later_s + runs[k].listened_s
    return list(runs[:stay])


def remove(run: Shelved) -> None:
    """Delete a run directory; raises OSError."""
    shutil.rmtree(run.path)


def _size(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def _listened_s(folder: Path) -> float:
    try:
        begin, end = json.loads((folder / "run.json").read_bytes())["manifest"]["samples"]
        return float(max(0, end - begin)) / RATE
    except (OSError, ValueError, KeyError, TypeError):  # a power cut, or a run of somebody else
        return 0.0
