"""`misheard sim`: a scenario, from what is said in the home to what the far end makes of it."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from sim.whatif.table import Changed


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `misheard sim`."""
    from device.command import pair
    from wakeword.canvas import picture_path

    parser = subparsers.add_parser(
        "sim",
        help="play a scenario through the device and the far end",
        description="Plays a scenario: devices hear it, and what they send arrives at a far end.",
    )
    add = parser.add_argument
    add("scenario", metavar="SCENARIO", help="a shipped scenario's name, or a YAML file")
    add("--seed", type=int, metavar="N", help="instead of the scenario's own")
    add("--out", type=Path, metavar="DIR", help="the run directory [runs/SCENARIO]")
    add("--store", type=Path, metavar="DIR", help="keep the far end's store in DIR, which may hold those of other runs")
    what_if = "play it again with a safeguard, NAME or NAME=VALUE, or with each of them: all; may be repeated"
    add("--what-if", action="append", default=[], metavar="NAME[=VALUE]", help=what_if)
    add("--wire", choices=("inprocess", "mqtt"), default="inprocess", help="how device and far end talk [inprocess]")
    add("--pace", choices=("real", "fast"), default="fast", help="as it would be heard, or as fast as it goes [fast]")
    add("--recognizer", metavar="NAME", help="auto, vosk, pocketsphinx or none; short for cloud.ears.recognizer")
    add("--config", metavar="F", help="a device profile or YAML file, in place of those of the scenario")
    add("--cloud", metavar="F", help="a far-end profile or YAML file, in place of that of the scenario")
    keys = "a setting of the devices; with cloud. or scenario. ahead, of the far end or the scenario"
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help=keys)
    add("--figure", type=picture_path, metavar="FILE", help="draw the evening into FILE too, a .png, .svg or .pdf")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play it, and again under each safeguard; 0 where every clip was received."""
    from rich.console import Console
    from rich.text import Text

    from device.command import summarize
    from device.rundir import write_run
    from sim.play.play import play
    from sim.play.setup import prepare
    from sim.report import write_figure, write_report
    from sim.whatif.safeguards import chosen

    ears = [] if args.recognizer is None else [("cloud.ears.recognizer", args.recognizer)]
    setup = prepare(args.scenario, seed=args.seed, profile=args.config, cloud=args.cloud, overrides=[*args.set, *ears])
    changed = [(guard, value, guard.apply(setup, value)) for guard, value in chosen(args.what_if)]
    console = Console(highlight=False)
    console.print(Text.assemble((setup.scenario.name, "bold"), f": {setup.scenario.shows}"), soft_wrap=True)
    out = args.out or Path("runs") / setup.scenario.name
    with tempfile.TemporaryDirectory(prefix="misheard-") as memory:
        written, row = play(setup, out, console, args.wire, args.pace, Path(memory), args.store)
        if changed:
            written["what_if"] = _what_if(console, changed, row, Path(memory))
            write_run(out, written)
    write_report(out)
    if args.figure is not None:
        write_figure(out, args.figure)
    summarize(console, written, out)
    return 0 if written["clips"]["received"] == written["clips"]["captured"] else 1


def _what_if(console: Console, changed: list[Changed], row: dict[str, Any], memory: Path) -> list[dict[str, Any]]:
    """Play it again under each safeguard, and print the table; gives its rows."""
    from rich.progress import Progress

    from sim.whatif.table import replay, table

    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("what if", total=len(changed))
        rows = replay(changed, row, memory, lambda _row: progress.advance(task))
    console.print()
    console.print(table(rows))
    return rows
