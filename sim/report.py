"""The report of a run."""

from __future__ import annotations

from pathlib import Path


def write_report(folder: Path) -> None:
    """Draw `report.html` into a run directory."""
