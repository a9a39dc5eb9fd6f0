"""``misheard review loop``: a simulated week, from what wakes the device to what keeps it from waking falsely."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from sim.review.feedback.plan import Places


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``loop`` to the commands."""
    from device.command import pair

    parser = subparsers.add_parser(
        "loop",
        help="play a week, have it reviewed, learn from it, and see what that is worth",
        description="Plays a simulated week, has its clips reviewed by simulated annotators, learns a threshold and a "
        "second look from what they say, and tries both on the days that nothing was learned from. An interrupted loop "
        "goes on where it was.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/loop"), metavar="DIR", help="everything goes there [runs/loop]")
    add("--homes", type=int, default=4, metavar="N", help="homes, two people in each [4]")
    add("--days", type=int, default=7, metavar="N", help="days; nothing is learned from the last two of seven [7]")
    add("--seed", type=int, default=0, metavar="N", help="another seed is another week [0]")
    add("--near", type=int, default=16, metavar="N", help="lines a day that sound like the wake word [16]")
    add("--ordinary", type=int, default=6, metavar="N", help="other lines a day [6]")
    add("--commands", type=int, default=6, metavar="N", help="lines a day that are meant for the device [6]")
    add("--talk", metavar="F", help="a YAML file of what is said, in place of configs/feedback/talk.yaml")
    add("--policy", default="2019-april", metavar="P", help="who may be listened to, and how much [2019-april]")
    rules = "a setting of the policy [rate=1 double=1: every clip, twice; at 0.2 %% a week has too few]"
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help=rules)
    add("--error", type=float, default=0.03, metavar="X", help="share of labels that annotators get wrong [0.03]")
    add("--lose", type=float, default=0.02, metavar="X", help="share of true wakes that may be lost [0.02]")
    add("--cloud", default="2018", metavar="P", help="the far end's profile [2018]")
    add("--recognizer", default="auto", metavar="NAME", help="auto, vosk, pocketsphinx or none [auto]")
    add("--workers", type=int, metavar="N", help="processes; what comes of it is the same [all processors]")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from rich.console import Console

    from sim.errors import FeedbackError
    from sim.review.feedback.loop import Loop
    from sim.review.feedback.plan import Places, Plan
    from sim.review.feedback.pool import processors
    from sim.review.feedback.week import Week
    from sim.review.policy import load_policy
    from wakeword.models import LICENCE

    workers = processors() if args.workers is None else args.workers
    if workers < 1:
        raise FeedbackError(f"--workers {workers}: there must be one at least")
    week = Week(args.seed, args.homes, args.days, args.near, args.ordinary, args.commands)
    rules = (("rate", "1"), ("double", "1"), *args.set)
    load_policy(args.policy, rules)
    plan = Plan(week, args.policy, rules, args.error, args.lose, args.cloud, args.recognizer, args.talk)
    places = Places(args.out)
    console = Console(highlight=False)
    console.print(f"wake-word models: {LICENCE}", style="dim", soft_wrap=True)
    with _progress(console) as progress:
        results = Loop(plan, places, workers, progress).run()
    _tell(console, results)
    _draw(console, results, places)
    console.print(f"{places.results}, {places.verifier}", soft_wrap=True)
    console.print(f"use it: misheard device --set wake.verifier={places.verifier}", soft_wrap=True)
    return 0


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Bars on a terminal; elsewhere a line for each step."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bars: dict[str, TaskID] = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in bars:
                bars[step] = progress.add_task(step, total=total)
                if not console.is_terminal:
                    console.print(step)
            progress.update(bars[step], completed=done)

        yield tell


def _tell(console: Console, results: Mapping[str, Any]) -> None:
    reviewed, learned = results["reviewed"], results["learned"]
    console.print(results["note"], soft_wrap=True)
    console.print(
        f"reviewed: {reviewed['drawn']} of {reviewed['clips']} clips, {reviewed['labels']} labels in "
        f"{reviewed['hours_of_listening']:g} h; "
        f"the annotators are simulated, and err in {100 * reviewed['stated_error_rate']:g} % of them; "
        f"{reviewed['clips_agreed_on']} clips are agreed to be a call, or none",
        soft_wrap=True,
    )
    wakes = learned["wakes"]
    console.print(f"learned from {wakes['true']} true and {wakes['false']} false wakes", soft_wrap=True)
    console.print(_table(results))
    for pair in results["same_clips"]["paired"]:
        avoided, lost = pair["avoided"], pair["lost"]
        console.print(
            f"{pair['way']} against {pair['other']}, on the same clips: {_points(avoided)} of the false wakes avoided, "
            f"{_points(lost)} of the true ones lost",
            soft_wrap=True,
        )
    own = results["same_clips"]["while_nobody_spoke"]
    if results["same_clips"]["wakes"]["while_nobody_spoke"]:
        told = ", ".join(f"{way} {_share(found)}" for way, found in own.items())
        console.print(f"besides, false wakes avoided while nobody but the device spoke: {told}", soft_wrap=True)
    before, again = results["played_again"]["as before"], results["played_again"]["learned"]
    console.print(
        f"played again with it: {again['false_wakes']} false wakes in {again['hours']:g} h "
        f"({_rate(again)}), before {before['false_wakes']} ({_rate(before)}); calls answered "
        f"{_share(again['calls_answered'])}, before {_share(before['calls_answered'])}",
        soft_wrap=True,
    )
    for voice, found in results["unknown_voices"].items():
        if "why_not" in found:
            continue
        console.print(
            f"learned without {voice}, tried on it: avoided {_share(found['false_wakes_avoided'])}, "
            f"lost {_share(found['true_wakes_lost'])}",
            soft_wrap=True,
        )


def _table(results: Mapping[str, Any]) -> Table:
    from rich.table import Table

    learned = results["learned"]
    names = {
        "threshold": f"threshold {learned['threshold']['threshold']:g} alone",
        "learned": "second look, learned",
        "recognizer": "second look, recognizer",
    }
    wakes = results["same_clips"]["wakes"]
    table = Table(title=f"{results['days_held_out']} days held out: {wakes['false']} false wakes, {wakes['true']} true")
    for column in ("", "false wakes avoided", "true wakes lost"):
        table.add_column(column)
    for way, found in results["same_clips"]["ways"].items():
        table.add_row(names[way], _share(found["false_wakes_avoided"]), _share(found["true_wakes_lost"]))
    return table


def _share(facts: Mapping[str, Any]) -> str:
    return f"{facts['count']} of {facts['of']} ({100 * facts['low']:.0f} to {100 * facts['high']:.0f} %)"


def _points(facts: Mapping[str, float]) -> str:
    return f"{100 * facts['difference']:+.0f} ({100 * facts['low']:+.0f} to {100 * facts['high']:+.0f}) points"


def _rate(facts: Mapping[str, Any]) -> str:
    rate, low, high = facts["false_wakes_per_hour"]
    return f"{rate:.0f} an hour, {low:.0f} to {high:.0f}"


def _draw(console: Console, results: Mapping[str, Any], places: Places) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        console.print("no picture, as matplotlib is not installed; install it with: pip install matplotlib")
        return
    from sim.review.feedback.drawing import draw

    draw(results, places.plot)
    console.print(str(places.plot), soft_wrap=True)
