"""``misheard console``: the web console, and the accounts of those who may use it."""

from __future__ import annotations

import argparse
from pathlib import Path

from sim.console import account_command
from sim.review.options import add_policy_options, add_store_options


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``console`` to the commands."""
    parser = subparsers.add_parser(
        "console",
        help="pages for customers, annotators, leads and auditors in the browser",
        description="Serves the web console on this machine; make an account first: misheard console account add.",
        allow_abbrev=False,
    )
    add_store_options(parser)
    add_policy_options(parser)
    add = parser.add_argument
    add(
        "--config",
        default="2018",
        metavar="F",
        help="the far end's profile or YAML file: what a deletion reaches [2018]",
    )
    add("--host", default="127.0.0.1", metavar="H", help="where to listen; another than this machine takes TLS")
    add("--port", type=_port, default=8330, metavar="N", help="0 takes any that is free [8330]")
    add("--tls-cert", type=Path, metavar="F", help="a certificate as PEM, with those between it and its root")
    add("--tls-key", type=Path, metavar="F", help="its key as PEM, without a password")
    add(
        "--run",
        dest="run_directory",
        type=Path,
        metavar="DIR",
        help="a run directory, or where one is being written: live device, timeline",
    )
    parser.set_defaults(run=run)
    account_command.add_parser(parser.add_subparsers(dest="console_command", metavar="[account]"))


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text} is not a port, 0 to 65535")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from datetime import UTC, datetime

    from sim.cloud.settings import load_cloud
    from sim.console.app import application
    from sim.console.programme import Programme
    from sim.console.server import Place, serve
    from sim.review.options import opened, policy_of

    place = Place(args.host, args.port, args.tls_cert, args.tls_key)
    place.check_files()
    policy, reaches = policy_of(args), load_cloud(args.config).deletion.reaches
    with opened(args) as review, place.open() as listening:
        programme = Programme.of(
            review.store,
            policy,
            review.signer,
            review.audit,
            lambda: datetime.now(UTC),
            run=args.run_directory,
            reaches=reaches,
        )
        if not programme.accounts.all():
            print("there is no account yet; make one: misheard console account add NAME --role ROLE")
        print(f"{place.url(listening)}  (policy {policy.name}; Ctrl-C ends)", flush=True)
        serve(application(programme, place.hosts, secure=place.secure), place, listening)
    return 0
