"""`misheard mic-check`: look at a microphone as it hears, and say what to do about it."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from device.mic_check import Examination

_PICTURES = 12
"""A second."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `misheard mic-check`."""
    from device.command import pair

    parser = subparsers.add_parser(
        "mic-check",
        help="level, noise, clipping and live scores of a microphone",
        description="Shows what a microphone hears and what the detector makes of it, until Ctrl-C, and then what to "
        "do about it. 0: it can be used; 1: it gives nothing.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--config", default="echo-dot", metavar="F", help="a profile's name or a YAML file [echo-dot]")
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="such as audio.microphone=USB")
    add("--source", default="mic", metavar="mic|FILE|-", help="the microphone, a sound file, or standard input [mic]")
    add("--seconds", type=_seconds, metavar="N", help="end after N seconds of sound")
    add("--json", action="store_true", help="print what it came to as JSON, and nothing else")
    add("--list", action="store_true", help="list microphones and loudspeakers, with the serials of USB sticks")
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.08 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds, 0.08 or more")
    return seconds


def run(args: argparse.Namespace) -> int:
    """Look; 0 where the microphone can be used, 1 where it gives nothing. Raises DeviceError."""
    from rich.console import Console

    console = Console(highlight=False)
    if args.list:
        return _list(console, as_json=args.json)
    examination, name = _examined(args, console)
    if args.json:
        print(json.dumps(examination.facts(name), indent=1))
    else:
        from device.mic_view import summary

        console.print(summary(examination))
    return 1 if examination.hopeless() else 0


def _examined(args: argparse.Namespace, console: Console) -> tuple[Examination, str]:
    """Hear what there is to hear; the microphone's name, or the file's, beside it."""
    from rich.live import Live

    from device.command import open_source
    from device.config import load_device
    from device.mic_check import Examination
    from device.mic_view import View
    from wakeword.scorer import load_scorers
    from wakeword.sound import RATE
    from wakeword.vad import VoiceActivity

    settings = load_device(args.config, args.set)
    told: list[tuple[str, Mapping[str, Any]]] = []
    source, _ = open_source(args.source, "fast", settings, lambda kind, facts: told.append((kind, facts)))
    scorers = load_scorers(settings.wake.words, settings.wake.engine)
    examination = Examination(settings.wake, scorers, VoiceActivity())
    view = View(examination, source.name)
    moving = console.is_terminal and not args.json
    screen = Live(console=console, auto_refresh=False, transient=True) if moving else None
    end = math.inf if args.seconds is None else round(args.seconds * RATE)
    drawn = 0.0
    if screen is not None:
        screen.start()
    try:
        for block in source.blocks():
            for now in examination.hear(block):
                view.take(now)
            while told:
                kind, facts = told.pop(0)
                if kind in ("microphone_gone", "microphone_refused"):
                    view.tell(f"! {facts['why']}", "bold red")
                    if screen is None and not args.json:
                        console.print(f"! {facts['why']}")
                elif kind == "microphone_back":
                    view.tell(f"~ the microphone is back after {facts['samples'] / RATE:.1f} s", "green")
            if screen is not None and time.monotonic() - drawn > 1 / _PICTURES:
                drawn = time.monotonic()
                screen.update(view.render(), refresh=True)
            if examination.clock >= end:
                break
    except KeyboardInterrupt:  # how it is ended where no --seconds are given
        pass
    finally:
        source.close()
        if screen is not None:
            screen.stop()
    examination.finish()
    return examination, source.name


def _list(console: Console, as_json: bool) -> int:
    """Print the cards there are; 1 where there is no microphone."""
    from rich.table import Table

    from device.cards import LOUDSPEAKER, MICROPHONE
    from device.microphone import list_cards

    cards, default = list_cards()
    if as_json:
        print(json.dumps({"cards": [card.facts() for card in cards], "default": default}, indent=1))
        return 0 if any(card.inputs for card in cards) else 1
    if not any(card.inputs for card in cards):
        console.print("there is no microphone; plug one in")
        return 1
    table = Table(box=None, pad_edge=False)
    for heading in ("", "name", "channels", "Hz", "USB serial", "USB port"):
        table.add_column(heading)
    for way in (MICROPHONE, LOUDSPEAKER):
        for card in cards:
            if not way.channels(card):
                continue
            noun = way.noun + (" *" if card.index == default[way.noun] else "")
            serial, port = (card.usb.serial or "none", card.usb.port) if card.usb else ("", "")
            table.add_row(noun, card.name, str(way.channels(card)), f"{card.rate:.0f}", serial, port)
    console.print(table)
    console.print("* the system's own choice; a name, a serial or a port goes into audio.microphone", style="dim")
    return 0
