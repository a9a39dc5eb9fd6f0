"""``misheard review export``: annotated clips as a training set."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``export`` to the commands."""
    from sim.review.options import add_policy_options, add_store_options

    parser = subparsers.add_parser(
        "export",
        help="write annotated clips as a training set",
        description="Writes the annotated clips of those whom the policy lets people listen to as an AudioFolder, with "
        "licence and consent of each. A customer's deletion reaches it while it stays where it was written.",
        allow_abbrev=False,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    parser.add_argument("--licence", required=True, metavar="L", help="under which it is given on")
    add_policy_options(parser)
    add_store_options(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    import secrets
    from datetime import UTC, datetime

    from sim.review.feedback.export import export
    from sim.review.options import opened, policy_of

    policy = policy_of(args)
    with opened(args) as review:
        done = export(
            review.store,
            policy,
            review.audit,
            lambda: datetime.now(UTC),
            name=secrets.token_hex(8),
            out=args.out,
            licence=args.licence,
        )
    print(f"{done.folder}: {done.files} clips, training set {done.id}")
    for why, count in sorted(done.left_out.items()):
        print(f"  left out: {count} {why}")
    return 0
