"""`misheard lab`: measurements. Each sub-command is a file of its own, and is named here alone."""

from __future__ import annotations

import argparse

import sim.lab.cite_command
import sim.lab.compare_command
import sim.lab.evaluate_command
import sim.lab.fleet_command
import sim.lab.funnel_command
import sim.lab.labels_command
import sim.lab.mine_command
import sim.lab.pets_command
import sim.lab.sweep_command

COMMANDS = (
    sim.lab.evaluate_command,
    sim.lab.compare_command,
    sim.lab.pets_command,
    sim.lab.mine_command,
    sim.lab.funnel_command,
    sim.lab.fleet_command,
    sim.lab.sweep_command,
    sim.lab.labels_command,
    sim.lab.cite_command,
)
"""Modules with an `add_parser`, in the order of the help."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `misheard lab`."""
    lab = subparsers.add_parser(
        "lab",
        help="measure: how often, which words, and how sure",
        description="Measurements, each with its uncertainty; what they find is written with what it takes to repeat.",
    )
    actions = lab.add_subparsers(required=True, metavar="ACTION")
    for each in COMMANDS:
        each.add_parser(actions)
