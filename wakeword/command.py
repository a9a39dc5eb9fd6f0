"""`misheard score`: what wake words make of sound files."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from wakeword.canvas import picture_path
from wakeword.errors import SoundError
from wakeword.models import LICENCE, NAMES

_PATIENCE_S = 2.0
"""Work shorter than this needs no progress bar."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `misheard score`."""
    parser = subparsers.add_parser(
        "score", help="score sound files", description="What wake words make of sound files.", allow_abbrev=False
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="sound of any rate, channel count and format")
    add("--model", action="append", metavar="NAME", help="a wake word or the path of its model; repeatable [alexa]")
    add("--engine", default="openwakeword", metavar="NAME", help="openwakeword, micro or reference [openwakeword]")
    add("--threshold", type=_threshold, metavar="X", help="the score that wakes, 0 to 1 [the model's own]")
    add("--format", choices=("table", "jsonl", "csv"), default="table", help="of the results [table]")
    add("--scores", action="store_const", dest="format", const="scores", help="JSON lines with the score of each hop")
    add("--plot", type=picture_path, metavar="FILE", help="draw scores over time into FILE, a .png, .svg or .pdf")
    parser.set_defaults(run=run)


def _threshold(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"a threshold lies above 0 and at most at 1, not at {text}")
    return value


def run(args: argparse.Namespace) -> int:
    """Score the files: results to stdout as they come, files that cannot be read to stderr; 1 if there were any.

    Raises ModelError, EngineMissing, and WakewordError for a plot that cannot be drawn.
    """
    from wakeword.listing import Csv, JsonLines, Listing, Table
    from wakeword.scored_file import score_file
    from wakeword.scorer import load_scorers
    from wakeword.trigger import TriggerSettings

    if args.plot:
        from wakeword.plot import Plot

        plot = Plot(args.plot, rows=len(args.files))
    models = args.model or ["alexa"]
    group = load_scorers(models, args.engine)
    settings = [TriggerSettings(args.threshold or threshold) for threshold in group.thresholds]
    listings: dict[str, Callable[[], Listing]] = {
        "table": lambda: Table(args.files, group.names, _licence(models, args.engine)),
        "jsonl": lambda: JsonLines(args.engine, scores=False),
        "scores": lambda: JsonLines(args.engine, scores=True),
        "csv": Csv,
    }
    listing, results, problems = listings[args.format](), [], 0
    _print(listing.head())
    with _progress(args.files) as heard:
        for file in args.files:
            try:
                result = score_file(file, group, settings, heard)
            except SoundError as error:
                problem: str | None = str(error)
            else:
                problem = result.damage
                _print(listing.lines(result))
                if args.plot:
                    results.append(result)
            if problem:
                print(f"misheard: {problem}", file=sys.stderr, flush=True)
                problems += 1
    _print(listing.foot())
    if results:
        plot.draw(results)
    return 1 if problems else 0


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _licence(models: Sequence[str], engine: str) -> list[str]:
    return [f"Models: {LICENCE}"] if engine != "micro" and set(models) & set(NAMES) else []


@contextmanager
def _progress(files: Sequence[str]) -> Iterator[Callable[[int], None]]:
    """Give what to tell of samples done: a bar on stderr, if a terminal is there and it takes more than a moment."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from wakeword.sound import sound_length

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("scoring"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    # Results printed meanwhile must go above the bar on a terminal, and past it into a pipe.
    bar = Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty())
    task, began = bar.add_task("", total=sum(map(sound_length, files))), time.monotonic()

    def heard(samples: int) -> None:
        bar.advance(task, samples)
        if not bar.live.is_started and time.monotonic() - began > _PATIENCE_S:
            bar.start()

    try:
        yield heard
    finally:
        bar.stop()
