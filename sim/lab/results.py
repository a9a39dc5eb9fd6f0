"""What a lab command leaves: `results.json` with the manifest from which it can be repeated, and tables as CSV."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from device.rundir import versions
from sim.errors import LabError

RESULTS = "results.json"


def plain(value: Any) -> Any:
    """What JSON can say of it: an infinite bound is null, as nothing is known on that side."""
    if isinstance(value, float):
        return round(value, 9) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def prepare(out: Path, command: str) -> None:
    """Make the folder before the long work; raises LabError where it cannot be, or holds results of something else."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"{out} cannot be made ({error.strerror}); choose another folder with --out") from None
    if (out / RESULTS).is_file():
        other = read_results(out).get("command")
        if other != command:
            raise LabError(f"{out} holds results of {other}; choose another folder with --out")
    elif any(out.iterdir()):
        raise LabError(f"{out} holds something else than results; choose another folder with --out")


def write_results(out: Path, command: str, manifest: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    """Write `results.json`, the same bytes for the same results. Raises LabError where the disk does not take it."""
    whole = {"command": command, "manifest": {"versions": {**versions(), **_others()}, **manifest}, **results}
    text = json.dumps(plain(whole), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(out / RESULTS, f"{text}\n")


def _others() -> dict[str, str]:
    """Packages on which measurements depend and devices do not, those that are there."""
    found = {}
    for package in ("pyroomacoustics", "pymicro-wakeword", "scipy"):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV, their columns those of the first. Raises LabError."""
    lines = [list(rows[0])] if rows else []
    lines += [["" if row[column] is None else row[column] for column in lines[0]] for row in rows]
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(lines)
    except OSError as error:
        raise LabError(f"{path} cannot be written ({error.strerror}); make room there") from None


def write_text(path: Path, text: str) -> None:
    """Write it so that nobody ever reads half of it. Raises LabError."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LabError(f"{path} cannot be written ({error.strerror}); make room there") from None


def read_results(where: Path) -> dict[str, Any]:
    """The content of a `results.json`, or of the one in a folder. Raises LabError."""
    path = where / RESULTS if where.is_dir() else where
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "damaged"
        raise LabError(f"{path} cannot be read ({why}); give what a lab command left with --out") from None
    if not isinstance(found, dict) or not isinstance(found.get("manifest"), dict):
        raise LabError(f"{path} is no result of the lab; give what a lab command left with --out")
    return found
