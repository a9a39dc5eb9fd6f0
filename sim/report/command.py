"""`misheard report`: a run drawn again, as a page and as a picture."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `misheard report`."""
    from wakeword.canvas import picture_path

    parser = subparsers.add_parser(
        "report",
        help="draw a run again",
        description="Draws the report.html of a run again, from the files in its directory.",
        allow_abbrev=False,
    )
    parser.add_argument("run_directory", type=Path, metavar="RUN", help="the directory of a run, such as runs/latest")
    parser.add_argument(
        "--figure", type=picture_path, metavar="FILE", help="draw the evening into FILE too, a .png, .svg or .pdf"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw it, and say where it is."""
    from sim.report import write_figure, write_report

    write_report(args.run_directory)
    print(args.run_directory / "report.html")
    if args.figure is not None:
        write_figure(args.run_directory, args.figure)
        print(args.figure)
    return 0
