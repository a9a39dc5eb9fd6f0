"""The options by which a test set and its engines are named, and the plan that they make."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.lab.evaluate import Evaluated, Plan
    from sim.lab.suspects import Suspect


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    from device.command import pair

    add = parser.add_argument
    folders = "a folder of sound, an AudioFolder, a sound file, or a text (.txt, or a shipped one's name) to speak"
    add("--positives", action="append", default=[], metavar="SOURCE", help=f"says the wake word: {folders}")
    add("--negatives", action="append", default=[], metavar="SOURCE", help="does not say it: as --positives")
    add(
        "--stream",
        action="append",
        default=[],
        metavar="FILE",
        help="long sound, with 'begin, end' of words in FILE.txt",
    )
    add("--manifest", action="append", default=[], type=Path, metavar="F", help="a microWakeWord training file")
    add("--word", default="alexa", metavar="NAME", help="the wake word, and the model of each engine [alexa]")
    engine = "openwakeword, micro or reference, or NAME=MODEL with another model; may be repeated [openwakeword]"
    add("--engine", action="append", default=[], metavar="NAME", help=engine)
    add("--voice", action="append", default=[], metavar="V", help="who reads texts; may be repeated [flite:slt]")
    room = "hear it in a room, too: metres, the seconds of its echo, how far away one speaks; may be repeated"
    add("--room", action="append", default=[], metavar="L,W,H,RT60,DISTANCE", help=room)
    add(
        "--snr", action="append", default=[], type=_decibels, metavar="DB", help="and in pink noise so far below speech"
    )
    add("--per-hour", type=_rate, metavar="X", help="the wished-for rate of false wakes [0.5]")
    add("--seed", type=int, default=0, metavar="N", help="of noise and draws [0]")
    add("--config", default="echo-dot", metavar="F", help="the device's profile or YAML file [echo-dot]")
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="such as wake.threshold=0.6")
    add("--no-listen", action="store_true", help="do not let the recognizer look for wake words among the negatives")
    add("--out", type=Path, required=True, metavar="DIR", help="where results.json and its tables go")


def _decibels(text: str) -> float:
    value = float(text)
    if not -40 <= value <= 90:
        raise argparse.ArgumentTypeError(f"{text} dB is no ratio of speech to noise; take -40 to 90")
    return value


def _rate(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"a rate is 0 or more, not {text}")
    return value


def plan_of(args: argparse.Namespace, least_engines: int = 1) -> Plan:
    """Read what was asked for, and find every clip. Raises LabError, VoiceError, ConfigError and ModelError."""
    from device.config import load_device
    from sim.errors import LabError
    from sim.lab.conditions import conditions, place
    from sim.lab.evaluate import PER_HOUR, Plan
    from sim.lab.sources import clips_of, manifest_of, stream_of
    from sim.lab.tally import load_engine

    labels = list(dict.fromkeys(args.engine)) or ["openwakeword"]
    if len(labels) < least_engines:
        raise LabError(f"name at least {least_engines} engines, such as --engine openwakeword --engine micro")
    voices = args.voice or ["flite:slt"]
    clips = [clip for source in args.positives for clip in clips_of(source, True, args.word, voices)]
    clips += [clip for source in args.negatives for clip in clips_of(source, False, args.word, voices)]
    clips += [stream_of(sound) for sound in args.stream]
    clips += [clip for manifest in args.manifest for clip in manifest_of(manifest)]
    if not clips:
        raise LabError("no sound is named; use --positives, --negatives, --stream or --manifest")
    settings = load_device(args.config, args.set).wake
    per_hour = PER_HOUR if args.per_hour is None else args.per_hour
    engines = tuple(load_engine(label, args.word, settings) for label in labels)
    found = tuple(conditions([place(room) for room in args.room], args.snr))
    return Plan(args.word, tuple(clips), engines, found, settings, args.seed, per_hour)


def evaluated(args: argparse.Namespace, plan: Plan) -> tuple[Evaluated, list[Suspect]]:
    """Do it, with a bar on a terminal, and tell on standard error what was left out or is to be listened to."""
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from sim.errors import RecognizerError
    from sim.lab.evaluate import run
    from sim.lab.suspects import suspects

    console = Console(stderr=True)
    columns = (TextColumn("heard {task.completed:.0f} s of sound"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        found = run(plan, lambda seconds: bar.advance(task, seconds))
    for left in found.left_out:
        print(f"misheard: left out: {left.clip}: {left.why}", file=sys.stderr)
    if args.no_listen:
        return found, []
    try:
        suspected, known = suspects(found.loaded, found.tallies, plan.word)
    except RecognizerError as error:
        print(f"misheard: false wakes were not listened to again: {error}", file=sys.stderr)
        return found, []
    for each in suspected:
        where = f"{each.clip} at {each.at_s:.2f} s"
        print(f"misheard: {plan.word} may really be said in {where} ({each.found_in}, {each.fit:.2f})", file=sys.stderr)
    if not known:
        print(f"misheard: the recognizer does not know {plan.word}; no negative was listened to again", file=sys.stderr)
    return found, suspected
