"""`misheard lab sweep`: plays scenarios over everything that can be set, a row each."""

from __future__ import annotations

import argparse
from pathlib import Path

COMMAND = "lab sweep"
LEDGER = "rows.jsonl"


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it."""
    from sim.lab.running import add_options
    from wakeword.canvas import picture_path

    parser = actions.add_parser(
        "sweep",
        help="play scenarios over any settings, a row each",
        description="Plays scenarios with every combination of settings, or with draws from them; rows go to Parquet.",
    )
    parser.add_argument("sweep", type=Path, metavar="SWEEP.yaml", help="what is varied")
    add_options(parser)
    parser.add_argument(
        "--plot", type=picture_path, metavar="FILE", help="draw the shares into FILE (.png, .svg, .pdf)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play what is not played yet, then write the table; 0 where every row could be played."""
    from rich.console import Console

    from device.rundir import versions
    from sim.lab.cluster import Cluster
    from sim.lab.design import load_sweep
    from sim.lab.ledger import Ledger, prepare_resumable
    from sim.lab.parquet import Parquet
    from sim.lab.results import write_results
    from sim.lab.running import work
    from sim.lab.sweep import SHARES, columns, counted, designed, plan, rows
    from sim.lab.sweep_plot import SweepPlot
    from sim.lab.trial import play

    plot = None if args.plot is None else SweepPlot(args.plot)
    table = Parquet(args.out / "rows.parquet")
    cluster = Cluster(args.scheduler, args.workers)
    sweep = load_sweep(args.sweep)
    design = designed(sweep)
    about = plan(sweep, design)
    manifest = {"command": COMMAND, "versions": versions(), **about}
    console = Console(highlight=False)
    prepare_resumable(args.out, COMMAND, [LEDGER])
    with Ledger(args.out / LEDGER, manifest, sweep.rows) as ledger:
        if ledger.done < sweep.rows:
            with cluster:
                work(ledger, play, design.trial, cluster, console, "rows")
        table.write(columns(sweep), rows(design, ledger), manifest)
        shares = counted(sweep, rows(design, ledger))
        failed = [row["error"] for row in rows(design, ledger) if row["error"] is not None]
    results = {"rows": sweep.rows, "not_played": len(failed), "shares": shares}
    write_results(args.out, COMMAND, about, results)
    if plot is not None:
        plot.draw(shares, SHARES)
    if failed:
        told = f"{len(failed)} of {sweep.rows} rows could not be played, the first because: {failed[0]}"
        console.print(told, soft_wrap=True, markup=False)
    console.print(f"{sweep.rows} rows in {args.out / 'rows.parquet'}", soft_wrap=True, markup=False)
    return 1 if failed else 0
