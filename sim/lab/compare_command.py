"""`misheard lab compare`: engines and models side by side on the same sound."""

from __future__ import annotations

import argparse

COMMAND = "lab compare"


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it."""
    from sim.lab.test_set import add_options

    parser = actions.add_parser(
        "compare",
        help="engines side by side on the same sound",
        description="Differences between engines or models, with intervals that take them clip by clip in pairs.",
    )
    add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare; 0 where every clip counted, 1 where some were left out or may be mislabelled."""
    from rich.console import Console

    from sim.lab.compare import differences
    from sim.lab.evaluate_command import summarize, write_tables
    from sim.lab.results import prepare, write_results
    from sim.lab.tables import difference_table, rates_table
    from sim.lab.test_set import evaluated, plan_of

    plan = plan_of(args, least_engines=2)
    prepare(args.out, COMMAND)
    found, suspected = evaluated(args, plan)
    rows = differences(found)
    results = {**found.results(suspected), "differences": [row.facts() for row in rows]}
    write_results(args.out, COMMAND, plan.manifest(found.loaded), results)
    write_tables(args.out, found)
    console = Console(highlight=False)
    summarize(console, found, suspected)
    console.print(rates_table([row for row in found.rows if not row.voice]))
    console.print(difference_table(rows))
    console.print(f"results in {args.out}", soft_wrap=True)
    return 1 if found.left_out or suspected else 0
