"""What a program holds and has written, as the kernel counts it; also of the programs that it started."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figures:
    """`disk_mb`: what lies in the folder; `written_mb`: what went to the disk since the program began."""

    day: int
    cpu_s: float
    rss_mb: float
    child_mb: float
    threads: int
    files: int
    disk_mb: float
    written_mb: float
    wakes: int
    stored: int
    runs: int

    @classmethod
    def now(cls, day: int, folder: Path, wakes: int, stored: int) -> Figures:
        """Look."""
        own, children = Path("/proc/self"), _children()
        times = os.times()
        runs = len(list((folder / "runs").iterdir())) if (folder / "runs").exists() else 0
        return cls(
            day,
            round(times.user + times.system, 1),
            round(_resident(own), 1),
            round(sum(_resident(child) for child in children), 1),
            int(_field(own / "status", "Threads")),
            len(list((own / "fd").iterdir())) - 1,
            round(sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 1e6, 2),
            round(sum(_written(process) for process in (own, *children)) / 1e6, 2),
            wakes,
            stored,
            runs,
        )


def table(rows: Sequence[Figures]) -> str:
    """Give the figures as columns."""
    heads = list(vars(rows[0]))
    cells = [heads, *([str(value) for value in vars(row).values()] for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(heads))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def growth_per_day(rows: Sequence[Figures], what: str) -> float:
    """Give by how much a figure grows in a day: the slope of the line of least squares."""
    days, values = [row.day for row in rows], [float(getattr(row, what)) for row in rows]
    middle, mean = sum(days) / len(days), sum(values) / len(values)
    spread = sum((day - middle) ** 2 for day in days)
    return sum((day - middle) * (value - mean) for day, value in zip(days, values, strict=True)) / spread


def _children() -> list[Path]:
    found = []
    for task in Path("/proc/self/task").iterdir():
        found += [Path("/proc", pid) for pid in (task / "children").read_text().split()]
    return found


def _resident(process: Path) -> float:
    return int(_field(process / "status", "VmRSS").split()[0]) * 1024 / 1e6


def _written(process: Path) -> int:
    return int(_field(process / "io", "write_bytes"))


def _field(file: Path, name: str) -> str:
    match = re.search(rf"^{name}:\s*(.*)$", file.read_text(), re.MULTILINE)
    return match[1] if match else "0"
