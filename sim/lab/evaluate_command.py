"""`misheard lab evaluate`: misses and false wakes of engines on a test set, with intervals."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from sim.lab.det_plot import DetPlot
    from sim.lab.evaluate import Evaluated
    from sim.lab.suspects import Suspect

COMMAND = "lab evaluate"


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it."""
    from sim.lab.test_set import add_options
    from wakeword.canvas import picture_path

    parser = actions.add_parser(
        "evaluate",
        help="misses and false wakes, over all thresholds",
        description="How many wake words are missed and how often sound without any wakes the device.",
    )
    add_options(parser)
    parser.add_argument(
        "--plot", type=picture_path, metavar="FILE", help="draw the curves into FILE (.png, .svg, .pdf)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate; 0 where every clip counted, 1 where some were left out or may be mislabelled."""
    from rich.console import Console

    from sim.lab.results import prepare, write_results
    from sim.lab.tables import rates_table, thresholds_table
    from sim.lab.test_set import evaluated, plan_of

    plot = _plot(args.plot)
    plan = plan_of(args)
    prepare(args.out, COMMAND)
    found, suspected = evaluated(args, plan)
    write_results(args.out, COMMAND, plan.manifest(found.loaded), found.results(suspected))
    write_tables(args.out, found)
    if plot is not None:
        plot.draw(found.rows, plan.per_hour)
    console = Console(highlight=False)
    summarize(console, found, suspected)
    # Voices under every condition would be a long table; rows.csv has them all.
    shown = [row for row in found.rows if not row.voice or row.condition == str(plan.conditions[0])]
    console.print(rates_table(shown))
    console.print(thresholds_table([row for row in shown if not row.voice], plan.per_hour))
    console.print(f"results in {args.out}", soft_wrap=True)
    return 1 if found.left_out or suspected else 0


def _plot(path: Path | None) -> DetPlot | None:
    if path is None:
        return None
    from sim.lab.det_plot import DetPlot

    return DetPlot(path)


def write_tables(out: Path, found: Evaluated) -> None:
    """Write `rows.csv` and `curves.csv`."""
    from sim.lab.results import write_rows

    rows: list[dict[str, object]] = []
    curves: list[dict[str, object]] = []
    for row in found.rows:
        about = {"engine": row.engine, "condition": row.condition, "voice": row.voice}
        for at in (row.evaluation.at, *(() if row.voice else row.evaluation.curve)):
            line: dict[str, object] = {
                **about,
                "threshold": at.threshold,
                "miss_rate": at.miss_rate,
                "miss_low": at.miss_interval.low,
                "miss_high": at.miss_interval.high,
                "false_per_hour": at.false_per_hour,
                "false_low": at.false_interval.low,
                "false_high": at.false_interval.high,
            }
            (rows if at is row.evaluation.at else curves).append(line)
    write_rows(out / "rows.csv", rows)
    write_rows(out / "curves.csv", curves)


def summarize(console: Console, found: Evaluated, suspected: list[Suspect]) -> None:
    """Say how much sound it was, and what of the false wakes may be none."""
    summary = found.summary()
    told = f"{summary['clips']} clips, {summary['words']} wake words"
    console.print(f"{told}, {summary['hours_without_the_word']:.3f} h of sound without one", soft_wrap=True)
    if suspected:
        each = f"{len(suspected)} of the false wakes may be wake words after all; they count as false here"
        console.print(f"{each}: listen to them, and take them out", soft_wrap=True)
