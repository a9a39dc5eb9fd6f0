"""The report of a run: one page that opens without a network, to be looked at and listened to."""

from __future__ import annotations

from pathlib import Path


def write_report(folder: Path) -> None:
    """Draw `report.html` into a run directory, from the files in it alone; the same files give the same bytes.

    Files other than `run.json` may be missing; the page says what that takes from it. Raises SimError where
    `run.json` is missing or damaged, or where the page cannot be written.
    """
    from sim.errors import SimError
    from sim.report.folder import read_runs
    from sim.report.page import draw

    page = draw(*read_runs(folder))
    path = folder / "report.html"
    try:
        path.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise SimError(f"{path} cannot be written ({error.strerror}); check the folder and the disk") from None


def write_figure(folder: Path, path: Path) -> None:
    """Draw a run directory into a .png, .svg or .pdf; the same files give the same bytes.

    Raises SimError where `run.json` is missing or damaged, WakewordError where matplotlib is missing, cannot draw into
    such a file, or where the file cannot be written.
    """
    from sim.report.figure import draw_figure

    draw_figure(folder, path)
