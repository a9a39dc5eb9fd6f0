"""``python -m tests.bench``: what the program costs, each figure beside a peer's of the same run.

Nothing passes or fails here: figures and aims stand side by side.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tests.bench import (
    archive,
    console,
    delivery,
    device,
    firmware,
    hearing,
    home,
    lab,
    live,
    machine,
    process,
    scoring,
    uplink,
)
from tests.bench.effort import FULL, QUICK, Effort
from tests.bench.figure import Row
from tests.bench.table import print_table

SECTIONS: Mapping[str, Callable[[Effort], Iterator[Row]]] = {
    "scoring": scoring.rows,
    "firmware": firmware.rows,
    "home": home.rows,
    "whole programs": process.rows,
    "live wakes": live.rows,
    "device": device.rows,
    "hearing": hearing.rows,
    "delivery": delivery.rows,
    "uplink": uplink.rows,
    "archive": archive.rows,
    "lab": lab.rows,
    "console": console.rows,
}


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only see that everything runs; the figures say little")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value of every round there, too")
    parser.add_argument("--only", choices=SECTIONS, help="measure this section alone")
    args = parser.parse_args()
    effort, about = (QUICK if args.quick else FULL), machine.describe()
    began = time.monotonic()
    sections = SECTIONS if args.only is None else {args.only: SECTIONS[args.only]}
    rows = list(_measured(effort, sections))
    about["time"] = f"{time.monotonic() - began:.0f} s for all of this"
    print_table(about, rows)
    if args.json is not None:
        found = {"machine": about, "rows": [row.as_json() for row in rows]}
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _measured(effort: Effort, sections: Mapping[str, Callable[[Effort], Iterator[Row]]]) -> Iterator[Row]:
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(sections))
        for name, measure in sections.items():
            progress.update(task, description=f"measuring {name}")
            yield from measure(effort)
            progress.advance(task)


if __name__ == "__main__":
    main()
