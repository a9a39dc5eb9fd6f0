"""Works through numbered tasks on a cluster, with what is done kept at once and told as it comes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from sim.lab.cluster import Cluster, Function
from sim.lab.ledger import Ledger


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add where results go, and where tasks run."""
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="where results go; one that was broken off goes on")
    add("--workers", type=_count, metavar="N", help="processes of this machine [as many as processors]")
    add("--scheduler", metavar="URL", help="the scheduler of a Dask cluster in their place, tcp://HOST:8786")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of processes; take 1 at least")
    return int(text)


def work(
    ledger: Ledger, function: Function, task: Callable[[int], Any], cluster: Cluster, console: Console, what: str
) -> None:
    """Have done what is missing in the ledger; `task` gives the task of a number, `what` is what they are called.

    Broken off (Ctrl-C), what is done stays, and how much that is is said.
    """
    total = len(ledger)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        shown = progress.add_task(what, total=total, completed=ledger.done)
        try:
            for results in cluster.run(ledger.name, function, ((n, task(n)) for n in ledger.missing())):
                ledger.add(results)
                progress.advance(shown, len(results))
        except KeyboardInterrupt:
            told = f"broken off: {ledger.done} of {total} {what} are done and kept; the same command goes on"
            console.print(told, soft_wrap=True)
            raise


class Stages:
    """Works through stages one after the other, with workers only where something is to be done; to be entered."""

    def __init__(self, out: Path, cluster: Cluster, console: Console) -> None:
        self._out, self._cluster, self._console = out, cluster, console
        self._stack, self._started = ExitStack(), False

    def __enter__(self) -> Stages:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(
        self, name: str, plan: Mapping[str, Any], function: Function, task: Callable[[int], Any], count: int, what: str
    ) -> list[Any]:
        """Do what is missing of a stage, which is kept in the file of this name; gives the results of all its tasks."""
        with Ledger(self._out / name, plan, count) as ledger:
            if ledger.done < count:
                if not self._started:
                    self._stack.enter_context(self._cluster)
                    self._started = True
                work(ledger, function, task, self._cluster, self._console, what)
            return list(ledger.results())


class _Rate(ProgressColumn):
    """How many a second or, where they are slow, a minute."""

    def render(self, task: Task) -> Text:
        """Draw it."""
        speed = task.finished_speed or task.speed
        if speed is None:
            return Text("-")
        return Text(f"{speed:.1f} a second" if speed >= 1 else f"{60 * speed:.1f} a minute")
