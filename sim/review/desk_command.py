"""``misheard review queue``, ``agreement`` and ``escalations``: what a lead sees of the desk."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.review.desk import Desk


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add them to the commands."""
    from sim.review.options import add_policy_options, add_store_options

    queue = subparsers.add_parser("queue", help="say how many tasks wait in which queue", allow_abbrev=False)
    queue.add_argument("--list", action="store_true", help="each task, how likely its draw was, and why it was drawn")
    queue.set_defaults(run=_queue)
    agreement = subparsers.add_parser(
        "agreement", help="say how much two agree who annotated the same (Cohen's kappa)", allow_abbrev=False
    )
    agreement.add_argument("label", nargs="*", metavar="LABEL", help="addressed, wake_word, kind, language, speakers")
    agreement.set_defaults(run=_agreement)
    escalations = subparsers.add_parser("escalations", help="list and resolve reports of distress", allow_abbrev=False)
    escalations.add_argument("--resolve", metavar="ID", help="close this one")
    escalations.add_argument("--note", default="", metavar="TEXT", help="what was done")
    escalations.add_argument("--who", default="command", metavar="NAME", help="who did it [command]")
    escalations.set_defaults(run=_escalations)
    for parser in (queue, agreement, escalations):
        add_policy_options(parser)
        add_store_options(parser)


@contextmanager
def _desk(args: argparse.Namespace) -> Iterator[Desk]:
    import random
    from datetime import UTC, datetime

    from sim.review.desk import Desk
    from sim.review.options import opened, policy_of

    policy = policy_of(args)
    with opened(args) as review:
        yield Desk(review.store, policy, review.audit, lambda: datetime.now(UTC), random.SystemRandom())


def _queue(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        print(f"{'':<16}{'open':>8}{'taken':>8}{'done':>8}{'withdrawn':>11}")
        for each in desk.queues():
            print(f"{each.queue:<16}{each.open:>8}{each.taken:>8}{each.done:>8}{each.withdrawn:>11}")
        for task in desk.tasks() if args.list else ():
            print(f"{task.id}  {task.state:<10} {task.queue:<15} {task.chance:<8.3g} {task.reason}")
    return 0


def _agreement(args: argparse.Namespace) -> int:
    from sim.review.labels import LABELS

    with _desk(args) as desk:
        for label in args.label or LABELS:
            found = desk.agreement(label)
            if found.kappa is None or found.low is None or found.high is None:
                why = "one label throughout" if found.n else "nobody annotated the same"
                print(f"{label:<10} kappa is not defined: {why} ({found.n} pairs)")
            else:
                interval = f"{found.low:.2f} to {found.high:.2f}"
                print(
                    f"{label:<10} kappa {found.kappa:.2f} ({interval}), {found.observed:.0%} of {found.n} pairs agree"
                )
    return 0


def _escalations(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        if args.resolve is not None:
            desk.resolve(args.resolve, args.who, args.note)
        for each in desk.escalations():
            due = f"until {each.deadline[:16]}Z" if each.deadline else ""
            state = "overdue" if each.overdue else each.state
            told = " ".join(filter(None, [each.assignee, due if each.state == "open" else "", each.note]))
            print(f"{each.id}  {each.utc[:19]}Z  {state:<9} {each.annotator}: {each.why}  [{told or each.procedure}]")
    return 0
