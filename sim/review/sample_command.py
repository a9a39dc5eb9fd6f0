"""``misheard review sample``: clips drawn for people to listen to."""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``sample`` to the commands."""
    from sim.review.options import add_policy_options, add_store_options

    parser = subparsers.add_parser(
        "sample",
        help="draw clips for people to listen to",
        description="Draws clips by a policy, and puts them into the queues of the desk.",
        allow_abbrev=False,
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed draws other clips [0]")
    add_policy_options(parser)
    add_store_options(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    import secrets
    from datetime import UTC, datetime

    from sim.review.options import opened, policy_of
    from sim.review.sampling import draw

    policy = policy_of(args)
    with opened(args) as review:
        drawn = draw(
            review.store, policy, args.seed, review.audit, lambda: datetime.now(UTC), secret=secrets.token_bytes(32)
        )
    print(f"{policy.name}: {drawn.drawn} of {drawn.considered} clips drawn, {drawn.tasks} tasks")
    if drawn.already:
        print(f"  {drawn.already} had been drawn before")
    for reason, count in sorted(drawn.by_reason.items()):
        print(f"  {count} {reason}")
    for why, count in sorted(drawn.left_out.items()):
        print(f"  left out: {count} {why}")
    return 0
