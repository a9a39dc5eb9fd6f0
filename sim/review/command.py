"""``misheard review``: the programme of human review, command by command; each lives in a file of its own."""

from __future__ import annotations

import argparse

from sim.review import (
    audit_command,
    deletion_command,
    desk_command,
    exposure_command,
    sample_command,
    search_command,
)
from sim.review.feedback import export_command, learn_command, loop_command

_COMMANDS = (
    sample_command,
    exposure_command,
    desk_command,
    deletion_command,
    search_command,
    audit_command,
    export_command,
    learn_command,
    loop_command,
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``review`` to the commands."""
    parser = subparsers.add_parser(
        "review",
        help="draw clips for people to listen to, and see what became of them",
        description="The programme of human review beside the far end.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="review_command", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
