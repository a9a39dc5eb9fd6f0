"""The table of what-ifs: each played on the same sound with the same seed, side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from sim.play.play import rehearse
from sim.play.setup import Setup
from sim.whatif.safeguard import Safeguard

AS_IT_WAS = {"name": "as it was", "value": "", "shows": "nothing different"}


Changed = tuple[Safeguard, str, Setup]
"""A safeguard, its value, and the setup with it in force."""


def replay(
    changed: Sequence[Changed],
    as_it_was: dict[str, Any],
    memory: Path,
    on_row: Callable[[dict[str, Any]], None] = lambda _row: None,
    workers: int | None = None,
) -> list[dict[str, Any]]:
    """Play each setup; gives a row for each, in order, with `as_it_was` ahead of them.

    A row has `name`, `value`, `shows`, and those of `Outcome.row`, or `missing`: what must be installed first. The
    number of `workers` makes no difference to the rows, nor does the `memory` of what was heard, which saves time.
    """
    rows = [{**AS_IT_WAS, **as_it_was}]
    with ProcessPoolExecutor(workers or min(len(changed), os.cpu_count() or 1), get_context("spawn")) as pool:
        started = [
            None if guard.missing(value) else pool.submit(rehearse, setup, memory) for guard, value, setup in changed
        ]
        for (guard, value, _), play in zip(changed, started, strict=True):
            about = {"name": guard.name, "value": value, "shows": guard.shows.format(value)}
            rows.append({**about, **(play.result() if play else {"missing": guard.missing(value)})})
            on_row(rows[-1])
    return rows


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """Draw the rows for a terminal, 80 columns wide; `look` is the second look, `yes` the confirmation."""
    drawn = Table(title="What if", title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=0)
    drawn.add_column("", no_wrap=True)
    for column in ("woke", "left", "look", "request", "contact", "yes", "sent"):
        drawn.add_column(column, no_wrap=True)
    drawn.add_column("heard by", min_width=8)
    for row in rows:
        name = Text(f"{row['name']}={row['value']}" if row["value"] else row["name"])
        if "missing" in row:
            drawn.add_row(name, "-")
            continue
        sent = Text("no", "green") if not row["sent"] else Text("yes", "bold red" if row["misdirected"] else "")
        drawn.add_row(
            name,
            _yes(row["woke"]),
            f"{row['uploaded_s']:.1f} s",
            _passed(row["verified"]),
            (row["intent"] or "-").removeprefix("send_"),
            row["contact"] or "-",
            _yes(row["confirmed"]),
            sent,
            ", ".join(row["heard_by"]) or "nobody",
        )
    needs = {row["missing"]: None for row in rows if "missing" in row}
    drawn.caption = "; ".join(f"-: not played, needs {each}" for each in needs) or None
    drawn.caption_justify = "left"
    return drawn


def _yes(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "no"


def _passed(value: bool | None) -> str:
    return "-" if value is None else "passed" if value else "false"
