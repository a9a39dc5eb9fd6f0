"""`misheard tune`: say the word ten times, then nothing like it for an hour; which threshold, and how sure."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from sim.tune.choice import Choice
    from sim.tune.hearing import Hearing
    from sim.tune.session import Heard

PER_HOUR = 0.5
"""False wakes an hour that are wished for, unless said otherwise: what the makers of openWakeWord aim at."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `misheard tune`."""
    from device.command import pair

    parser = subparsers.add_parser(
        "tune",
        help="which threshold fits a voice, a microphone and a place",
        description="Hears the wake word said some times and then, as long as you like, whatever is not the word, and "
        "says which threshold fits, with what misses and false wakes, and how sure that is. Of the sound nothing is "
        "kept but with --keep.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--config", default="echo-dot", metavar="F", help="a profile's name or a YAML file [echo-dot]")
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="such as audio.microphone=USB")
    add("--times", type=_whole, default=10, metavar="N", help="how often the word is said [10]")
    add("--minutes", type=_minutes, default=60.0, metavar="N", help="how long is listened without the word [60]")
    add("--positives", type=Path, metavar="FILE", help="a recording of the word, in place of the microphone")
    add("--negatives", type=Path, action="append", default=[], metavar="FILE", help="sound without it; repeatable")
    add("--per-hour", type=_rate, default=PER_HOUR, metavar="X", help=f"false wakes an hour at most [{PER_HOUR:g}]")
    add("--write", type=Path, metavar="F", help="put the threshold into this configuration; it may be a new file")
    add("--keep", type=Path, metavar="DIR", help="keep the microphone's sound there")
    add("--json", action="store_true", help="print what it came to as JSON, and nothing else")
    parser.set_defaults(run=run)


def _number(text: str, least: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no {what}, {least:g} or more")
    return value


def _minutes(text: str) -> float:
    return _number(text, 0.01, "number of minutes")


def _rate(text: str) -> float:
    return _number(text, 0.001, "rate an hour")


def _whole(text: str) -> int:
    value = _number(text, 3, "number of times")
    if value != int(value):
        raise argparse.ArgumentTypeError(f"{text} is no whole number")
    return int(value)


def run(args: argparse.Namespace) -> int:
    """Tune; 0 with a threshold, 1 where none keeps to the wished-for rate. Raises LabError, DeviceError, SoundError."""
    from rich.console import Console

    from device.config import load_device
    from device.ear import thresholds
    from sim.tune.choice import choose, points
    from sim.tune.written import put
    from wakeword.scorer import load_scorers

    settings = load_device(args.config, args.set).wake
    scorers = load_scorers(settings.words[:1], settings.engine)
    word = scorers.names[0]
    in_use = thresholds(settings, scorers)[word]
    console = Console(highlight=False)
    heard = _heard(args, scorers, console)
    heard.check()
    others = [each.scores for each in heard.others]
    counted = points(heard.said.scores, heard.said.spans, others, heard.hours, settings, in_use)
    choice = choose(counted, in_use, args.per_hour)
    if args.json:
        print(json.dumps(facts(word, heard.said, choice), indent=1))
    else:
        show(console, word, heard.said, choice)
    if choice.threshold is None:
        return 1
    if args.write is not None:
        put(args.write, choice.threshold)
        if not args.json:
            console.print(f"written into {args.write}", markup=False, soft_wrap=True)
    return 0


def _heard(args: argparse.Namespace, scorers: Any, console: Console) -> Heard:
    from device.command import open_source
    from device.config import load_device
    from sim.tune.session import Heard, Session, hear_files, prepare

    settings = load_device(args.config, args.set)
    session = Session(settings.wake, scorers, console, quiet=args.json)
    others = hear_files(session, args.negatives)
    said = hear_files(session, [args.positives])[0] if args.positives else None
    if said is not None and others:
        return Heard(said, others)
    if args.keep is not None:
        prepare(args.keep)
    source, _ = open_source("mic", "real", settings, session.note)
    seconds = 0.0 if others else 60 * args.minutes
    found = session.microphone(source, args.times, seconds, args.keep, said)
    return Heard(found.said, others or found.others)


def facts(word: str, said: Hearing, choice: Choice) -> dict[str, Any]:
    """Everything, for JSON."""
    from sim.lab.results import plain
    from sim.tune.choice import hours_needed
    from wakeword.sound import RATE

    at, point = choice.chosen, choice.point
    each = [
        {"begin_s": begin / RATE, "end_s": end / RATE, "score": said.best((begin, end))} for begin, end in said.spans
    ]
    found: dict[str, Any] = plain(
        {
            "word": word,
            "threshold": choice.threshold,
            "in_use": choice.in_use,
            "said": each,
            "misses": point.misses,
            "words": point.words,
            "miss_rate": at.miss_rate,
            "miss_interval": list(at.miss_interval),
            "false_wakes": point.false_wakes,
            "hours": point.hours,
            "false_per_hour": at.false_per_hour,
            "false_interval": list(at.false_interval),
            "wished_per_hour": choice.per_hour,
            "hours_to_show_it": hours_needed(choice.per_hour),
        }
    )
    return found


def show(console: Console, word: str, said: Hearing, choice: Choice) -> None:
    """Print it for people."""
    from rich.table import Table

    from sim.lab.tables import rate, share
    from sim.tune.choice import hours_needed
    from sim.tune.written import lines

    scores = ", ".join(f"{said.best(span):.2f}" for span in said.spans)
    console.print(f"“{word}” was said {len(said.spans)} times; highest scores {scores}", markup=False, soft_wrap=True)
    point = choice.point
    console.print(f"{60 * point.hours:.1f} min without it", soft_wrap=True)
    console.print()
    table = Table(box=None, pad_edge=False)
    for heading in ("threshold", "", "missed (95 %)", "false wakes an hour (95 %)"):
        table.add_column(heading)
    marks = {choice.in_use: "in use"}
    if choice.threshold is not None:
        marks[choice.threshold] = "take this" if choice.threshold != choice.in_use else "in use: keep it"
    for threshold in sorted({0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, *marks}):
        at = choice.at(threshold)
        cells = share(at.miss_rate, at.miss_interval), rate(at.false_per_hour, at.false_interval)
        style = "bold" if threshold == choice.threshold else "dim" if threshold not in marks else ""
        table.add_row(f"{threshold:g}", marks.get(threshold, ""), *cells, style=style)
    console.print(table)
    console.print()
    if choice.threshold is None:
        console.print(
            f"no threshold keeps to {choice.per_hour:g} false wakes an hour; try wake.patience_hops=2, another engine, "
            "or a larger --per-hour",
            style="yellow",
            soft_wrap=True,
        )
        return
    sure = choice.chosen.false_interval.high <= choice.per_hour
    if sure:
        console.print(f"at most {choice.per_hour:g} false wakes an hour: shown by this sound (95 %)", soft_wrap=True)
    else:
        needed = hours_needed(choice.per_hour)
        console.print(
            f"at most {choice.per_hour:g} false wakes an hour: not shown yet; that takes {needed:.2g} h without any",
            soft_wrap=True,
        )
    console.print(lines(choice.threshold).rstrip(), style="bold", markup=False)
