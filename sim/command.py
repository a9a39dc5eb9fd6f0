"""`misheard sim`: a scenario, from what is said in the home to what the far end makes of it."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `misheard sim`."""
    from device.command import pair

    parser = subparsers.add_parser(
        "sim",
        help="play a scenario through the device and the far end",
        description="Plays a scenario: the device hears it, and what it sends arrives at a far end.",
    )
    add = parser.add_argument
    add("scenario", metavar="SCENARIO", help="a shipped scenario's name, or a YAML file")
    add("--seed", type=int, metavar="N", help="instead of the scenario's own")
    add("--out", type=Path, metavar="DIR", help="the run directory [runs/SCENARIO]")
    add("--wire", choices=("inprocess", "mqtt"), default="inprocess", help="how device and far end talk [inprocess]")
    add("--pace", choices=("real", "fast"), default="fast", help="as it would be heard, or as fast as it goes [fast]")
    add("--recognizer", default="auto", metavar="NAME", help="auto, vosk, pocketsphinx or none [auto]")
    add("--config", default="echo-dot", metavar="F", help="the device's profile or a YAML file [echo-dot]")
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="a setting of the device")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play it; 0 where every clip was received."""
    from rich.console import Console
    from rich.text import Text

    from device.command import summarize
    from device.config import load_device
    from sim.report import write_report
    from sim.run import Play, play
    from sim.scenario import load_scenario

    seed = [] if args.seed is None else [("seed", str(args.seed))]
    scenario = load_scenario(args.scenario, seed)
    console = Console(highlight=False)
    console.print(Text.assemble((scenario.name, "bold"), f": {scenario.shows}"))
    out = args.out or Path("runs") / scenario.name
    settings = load_device(args.config, args.set)
    written = play(Play(scenario, settings, args.recognizer, args.wire, args.pace), out, console)
    write_report(out)
    summarize(console, written, out)
    return 0 if written["clips"]["received"] == written["clips"]["captured"] else 1
