"""``misheard review exposure``: which facts about whom can reach, and have reached, how many people."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from sim.review.exposure import Exposed, Exposure

_EACH = 20
"""Customers up to which each has rows of his own in the table; of more there is a sum."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``exposure`` to the commands."""
    from sim.review.options import add_policy_options, add_store_options

    parser = subparsers.add_parser(
        "exposure",
        help="say which facts about whom a policy lets people see, and how many have seen them",
        description="Says what a policy makes of the clips in a store, and of what was seen and heard under it.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="as JSON, every customer")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write exposure-POLICY.json there too")
    add_policy_options(parser)
    add_store_options(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from rich.console import Console

    from sim.errors import ReviewError
    from sim.review.exposure import exposure
    from sim.review.options import opened, policy_of

    policy = policy_of(args)
    with opened(args) as review:
        found = exposure(review.store, policy)
    text = json.dumps(found.as_json(), indent=1, ensure_ascii=False)
    if args.out is not None:
        file = args.out / f"exposure-{policy.name}.json"
        try:
            args.out.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise ReviewError(f"{file} cannot be written ({error.strerror}); name another --out") from None
    if args.json:
        print(text)
        return 0
    console = Console(highlight=False)
    console.print(f"{policy.name}: {policy.tells}" if policy.tells else policy.name, style="bold", soft_wrap=True)
    console.print(table(found))
    for line in told(found):
        console.print(line, soft_wrap=True, markup=False)
    return 0


def table(found: Exposure) -> Table:
    """The rows of a report: of each customer where there are few."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    drawn = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    for head in ("fact", "of whom"):
        drawn.add_column(head, no_wrap=True)
    for head in ("clips", "deleted", "draws", "chance", "people", "times"):
        drawn.add_column(head, justify="right", no_wrap=True)
    few = len({each.customer for each in found.facts}) <= _EACH
    for cells in map(_cells, found.facts) if few else _summed(found.facts):
        drawn.add_row(*cells)
    return drawn


def told(found: Exposure) -> list[str]:
    """What the table does not say, line by line."""
    said = ", ".join(f"{kind} {count}" for kind, count in found.said.items())
    lines = [
        "clips: held, that carry the fact; deleted: of these, by the customer; draws: expected, and the chance of any; "
        "people: who have seen or heard it, and how many times",
        f"{found.clips} clips: {found.beside} could be linked to a person by what stands beside them, "
        f"{found.by_words} by what they say themselves ({said})",
    ]
    lines += [
        f"kept although deleted: {kept.count} × {kept.what} of {kept.customer or 'nobody'}" for kept in found.kept
    ]
    if found.heard_and_deleted:
        lines.append(f"{found.heard_and_deleted} people have listened to clips that were deleted since")
    return lines


def _cells(each: Exposed) -> list[str]:
    counts = [f"{each.clips}", f"{each.deleted}", f"{each.drawn:.3g}", f"{each.chance:.2%}"]
    return [each.fact, each.customer, *counts, f"{each.people}", f"{each.times}"]


def _summed(facts: tuple[Exposed, ...]) -> list[list[str]]:
    """A row for each fact: of chance and people the highest that any customer has."""
    rows = []
    for fact in dict.fromkeys(each.fact for each in facts):
        of_it = [each for each in facts if each.fact == fact]
        rows.append(
            [
                fact,
                f"{len(of_it)} customers",
                f"{sum(each.clips for each in of_it)}",
                f"{sum(each.deleted for each in of_it)}",
                f"{sum(each.drawn for each in of_it):.4g}",
                f"≤ {max(each.chance for each in of_it):.2%}",
                f"≤ {max(each.people for each in of_it)}",
                f"{sum(each.times for each in of_it)}",
            ]
        )
    return rows
