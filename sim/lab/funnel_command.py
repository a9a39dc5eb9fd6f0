"""`misheard lab funnel`: how likely each link from a misheard word to a wrong message is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from sim.lab.factors import Factor
    from sim.lab.funnel import Link

COMMAND = "lab funnel"
LEDGER = "trials.jsonl"


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it."""
    from device.command import pair
    from sim.lab.running import add_options
    from wakeword.canvas import picture_path

    parser = actions.add_parser(
        "funnel",
        help="how likely each link to a wrong message is",
        description="Plays a scenario many times with other voices, places, levels, noise, echo and gaps.",
    )
    add = parser.add_argument
    add("scenario", metavar="SCENARIO", help="a shipped scenario's name, or a YAML file")
    add("--trials", type=_trials, default=100, metavar="N", help="how many in all; more may be added later [100]")
    add("--seed", type=int, default=1, metavar="N", help="from which trials are drawn [1]")
    add("--vary", type=Path, metavar="FILE.yaml", help="how far they differ, and other wording for lines")
    add("--config", metavar="F", help="a device profile in place of those of the scenario")
    add("--cloud", metavar="F", help="a far-end profile in place of that of the scenario")
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="a setting, as for misheard sim")
    add("--plot", type=picture_path, metavar="FILE", help="draw the funnel into FILE (.png, .svg, .pdf)")
    add_options(parser)
    parser.set_defaults(run=run)


def _trials(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"{text} is no number of trials; take 1 to 10000000")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Play what is not played yet, then count; 0 where every trial could be played."""
    from rich.console import Console

    from device.rundir import versions
    from sim.lab.cluster import Cluster
    from sim.lab.funnel import as_results, stopped
    from sim.lab.funnel_plot import FunnelPlot
    from sim.lab.ledger import Ledger, prepare_resumable
    from sim.lab.models import files_of
    from sim.lab.results import write_results, write_rows
    from sim.lab.running import work
    from sim.lab.trial import Trial, base, play, prepared
    from sim.lab.variation import Drawing, load_variation, plan_of

    plot = None if args.plot is None else FunnelPlot(args.plot)
    cluster = Cluster(args.scheduler, args.workers)
    about = base(args.scenario, args.config, args.cloud)
    scenario = prepared(Trial(about, 0, tuple(args.set))).scenario
    variation = load_variation(args.vary, scenario)
    drawing = Drawing(scenario, variation, args.seed)

    def trial(number: int) -> Trial:
        drawn = drawing.draw(number)
        return Trial(about, drawn.seed, (*drawn.overrides, *args.set))

    files = files_of(prepared(trial(0)))
    plan = {"base": about._asdict(), "set": args.set, **files, **plan_of(variation, args.seed)}
    console = Console(highlight=False)
    prepare_resumable(args.out, COMMAND, [LEDGER])
    with Ledger(args.out / LEDGER, {"versions": versions(), **plan}, args.trials) as ledger:
        if ledger.done < args.trials:
            with cluster:
                work(ledger, play, trial, cluster, console, "trials")
        rows = list(ledger.results())
    drawn = [drawing.draw(number).factors for number in range(args.trials)]
    table = [{"trial": n, **factors, **row} for n, (factors, row) in enumerate(zip(drawn, rows, strict=True))]
    write_rows(args.out / "trials.csv", table)
    played = [(factors, row) for factors, row in zip(drawn, rows, strict=True) if row["error"] is None]
    links, matters = found(played, args.seed)
    results = {
        "trials": len(played),
        "not_played": len(rows) - len(played),
        "links": as_results(links),
        "stopped": stopped(row for _, row in played),
        "misdirected": sum(row["misdirected"] for _, row in played),
        "factors": {link: [_told(factor) for factor in each] for link, each in matters.items()},
    }
    write_results(args.out, COMMAND, plan, results)
    if plot is not None:
        plot.draw(scenario.name, len(played), links, matters)
    console.print(links_table(links))
    for link, each in matters.items():
        console.print(factors_table(link, each))
    if len(played) < len(rows):
        first = next(row["error"] for row in rows if row["error"] is not None)
        told = f"{len(rows) - len(played)} of {len(rows)} trials could not be played, the first because: {first}"
        console.print(told, soft_wrap=True, markup=False)
    console.print(f"results in {args.out}", soft_wrap=True, markup=False)
    return 0 if len(played) == len(rows) else 1


def found(
    played: Sequence[tuple[Mapping[str, float | str], Mapping[str, Any]]], seed: int
) -> tuple[list[Link], dict[str, list[Factor]]]:
    """Give the links, and by link, and for the whole chain, what they depended on as far as the trials show it."""
    from sim.lab.factors import importance
    from sim.lab.funnel import LINKS, links, reached

    depths = [reached(row) for _, row in played]
    matters: dict[str, list[Factor]] = {}
    if whole := importance([factors for factors, _ in played], [depth == len(LINKS) for depth in depths], seed):
        matters["the whole chain"] = whole
    for number, name in enumerate(LINKS):
        came = [
            (factors, depth > number) for (factors, _), depth in zip(played, depths, strict=True) if depth >= number
        ]
        each = importance([factors for factors, _ in came], [held for _, held in came], seed) if came else None
        if each:
            matters[name] = each
    return links(depths), matters


def _told(factor: Factor) -> dict[str, Any]:
    odds = [each._asdict() for each in factor.odds]
    return {**factor._asdict(), "shown": factor.shown, "odds": odds}


def links_table(links: Sequence[Link]) -> Table:
    """The chain for a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from sim.lab.tables import share

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("link", "held", "given the link before", "of all trials"):
        table.add_column(name)
    trials = links[0].came
    for number, link in enumerate(links):
        given = f"{link.name} | {links[number - 1].name}" if number else link.name
        overall = share(link.held / trials if trials else None, link.overall)
        table.add_row(given, f"{link.held}/{link.came}", share(link.share, link.interval), overall)
    return table


def factors_table(link: str, factors: Sequence[Factor]) -> Table:
    """What a link depended on, for a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=f"what {link} depends on", title_justify="left")
    for name in ("factor", "share of deviance", "by chance", "shown", "odds for one deviation more, or for the name"):
        table.add_column(name)
    for factor in factors:
        between = f"{factor.share:.3f} ({factor.interval.low:.3f} to {factor.interval.high:.3f})"
        odds = ", ".join(
            f"{each.of + ' ' if each.of else ''}{each.ratio:.2f} ({each.interval.low:.2f} to {each.interval.high:.2f})"
            for each in factor.odds
        )
        table.add_row(factor.name, between, f"{factor.chance:.3f}", "yes" if factor.shown else "no", odds)
    return table
