"""`misheard lab cite`: what a methods section needs."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it."""
    parser = actions.add_parser(
        "cite",
        help="what a paper's methods section needs of a result",
        description="Versions, hashes, settings and seeds of a run or a measurement, and the sources to cite.",
    )
    parser.add_argument(
        "source", type=Path, metavar="RUN_OR_RESULTS", help="a run directory, or what a lab command left"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, with hashes in full")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it; gives 0."""
    import json
    from dataclasses import asdict

    from sim.lab.cite import cite, licence

    found = cite(args.source)
    if args.json:
        print(json.dumps(asdict(found), indent=1, ensure_ascii=False))
        return 0
    print("\n".join(found.text))
    print(f"The result is the file with SHA-256 {found.facts['sha256 of the result']}.")
    print("\n".join(["", *found.sources]))
    if told := licence(found):
        print(f"\nModels: {told}")
    return 0
