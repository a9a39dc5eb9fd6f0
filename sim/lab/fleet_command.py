"""`misheard lab fleet`: homes by the thousand over simulated days, as their manufacturer would see them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sim.lab.fleet.fleet import Fleet

COMMAND = "lab fleet"
LINES, LEDGER = "lines.jsonl", "plays.jsonl"


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it."""
    from device.command import pair
    from sim.lab.running import add_options
    from wakeword.canvas import picture_path

    parser = actions.add_parser(
        "fleet",
        help="what a manufacturer would see of homes by the thousand",
        description="Draws homes and their days, plays short stretches of them, and weights these back to the whole.",
    )
    add = parser.add_argument
    add("--homes", type=_count, default=1000, metavar="N", help="how many there are [1000]")
    add("--days", type=_count, default=7, metavar="D", help="for how many days [7]")
    add(
        "--plays",
        type=_count,
        default=400,
        metavar="N",
        help="stretches that are played; more may be added later [400]",
    )
    add("--seed", type=int, default=1, metavar="S", help="from which all is drawn [1]")
    add("--population", default="population", metavar="F", help="a YAML file in place of configs/lab/population.yaml")
    add("--policy", default="2019-april", metavar="P", help="a policy of review, a name or a YAML file [2019-april]")
    add("--cloud", metavar="F", help="a far-end profile or YAML file [2018]")
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="a setting of devices; cloud. ahead")
    add("--plot", type=picture_path, metavar="FILE", help="draw it into FILE (.png, .svg, .pdf)")
    add_options(parser)
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"{text} is no such number; take 1 to 10000000")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Play what is not played yet, then estimate; 0 where every stretch could be played."""
    from rich.console import Console

    from device.rundir import versions
    from sim.errors import LabError
    from sim.lab.cluster import Cluster
    from sim.lab.fleet.drawing import ears, wakes
    from sim.lab.fleet.estimate import estimate
    from sim.lab.fleet.fleet import Fleet
    from sim.lab.fleet.hearing import TOGETHER, Hearing, listen, listenings
    from sim.lab.fleet.playing import about, play, prepared
    from sim.lab.fleet.plot import FleetPlot
    from sim.lab.fleet.population import as_plan, load_population
    from sim.lab.fleet.report import as_results, figures_table, links_table, notes
    from sim.lab.fleet.stretch import MIX
    from sim.lab.ledger import digest, prepare_resumable
    from sim.lab.models import detectors_of, files_of
    from sim.lab.parquet import Parquet
    from sim.lab.results import write_results
    from sim.lab.running import Stages
    from sim.review.policy import load_policy

    plot = None if args.plot is None else FleetPlot(args.plot)
    table = Parquet(args.out / "rows.parquet")
    cluster = Cluster(args.scheduler, args.workers)
    if args.seed < 0:
        raise LabError(f"--seed {args.seed} is no seed; take 0 or more")
    policy, population = load_policy(args.policy), load_population(args.population)
    of = about(args.population, args.cloud, tuple(args.set), args.seed)
    fleet = Fleet(population, of, args.homes, args.days)
    setup = prepared(fleet.job(0))
    engines = detectors_of(wakes(population, of))
    plan = {
        "population": as_plan(population),
        "content": of.content,
        "cloud": args.cloud or "2018",
        "set": args.set,
        "seed": args.seed,
        "homes": args.homes,
        "days": args.days,
        "engines": engines,
        "second_looks": files_of(setup)["second_looks"],
    }
    console = Console(highlight=False)
    prepare_resumable(args.out, COMMAND, [LINES, LEDGER])
    with Stages(args.out, cluster, console) as stages:
        said = listenings(population, fleet.lines.texts, ears(population, of))
        about_lines = {"versions": versions(), "engines": engines, "content": of.content, "together": TOGETHER}
        heard = stages.run(LINES, about_lines, listen, said.__getitem__, len(said), "bundles of lines")
        hearing = Hearing(said, heard)
        manifest = {"command": COMMAND, "versions": versions(), **plan, "heard": digest(heard), "mix": MIX}
        played = stages.run(LEDGER, manifest, play, lambda n: fleet.job(n, hearing), args.plays, "plays")
    rows = list(_rows(fleet, played))
    table.write(_columns(), rows, manifest)
    failed = [row["error"] for row in rows if row["error"] is not None]
    if len(failed) == len(rows):
        raise LabError(f"no stretch could be played, the first because: {failed[0]}")
    found = estimate(rows, fleet.stretches, fleet.device_days, policy, args.seed)
    results = {"plays": len(rows) - len(failed), "not_played": len(failed), **as_results(population, fleet, found)}
    told = {**plan, "policy": policy.model_dump(mode="json")}
    write_results(args.out, COMMAND, told, results)
    if plot is not None:
        title = f"{args.homes} homes, {args.days} days, {len(rows) - len(failed)} plays; population {population.name}"
        plot.draw(title, found)
    console.print(figures_table(found, policy.name))
    console.print(links_table(found.links))
    for line in notes(population, fleet, found, min(each["threshold"] for each in engines)):
        console.print(line, markup=False)
    if failed:
        why = f"{len(failed)} of {len(rows)} stretches could not be played, the first because: {failed[0]}"
        console.print(why, soft_wrap=True, markup=False)
    console.print(f"results in {args.out}", soft_wrap=True, markup=False)
    return 1 if failed else 0


def _rows(fleet: Fleet, played: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, result in enumerate(played):
        kind, home, day, _ = fleet.where(number)
        yield {"play": number, "kind": kind, "home": home, "day": day, **result}


def _columns() -> dict[str, type]:
    from sim.lab.fleet.playing import COLUMNS

    return {"play": int, "kind": str, "home": int, "day": int, **COLUMNS}
