"""``misheard cloud``: the far end alone, against any broker."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from device.command import pair
from uplink.broker_options import access_of, add_broker_options

if TYPE_CHECKING:
    from rich.console import Console

    from sim.cloud.keeping import Keeping
    from uplink.message import JSON

_LOOK_S = 1.0
"""How often to see whether the far end still lives."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], keeping: Keeping | None = None) -> None:
    """Add ``cloud`` to the commands; `keeping` deletes what has been kept long enough."""
    parser = subparsers.add_parser(
        "cloud",
        help="receive, store and transcribe clips from a broker",
        description="Runs the far end alone against a broker, until Ctrl-C or SIGTERM.",
    )
    add_broker_options(parser, "this far end")
    parser.add_argument(
        "--store",
        metavar="DIR|URL",
        help="where clips are kept, a folder or what fsspec reaches; by default beside your other user data",
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        help="postgresql://HOST/NAME for the facts of the clips; by default a SQLite file in the store",
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="DIR",
        help="what was --store to misheard keys; by default the store, or your user data where that is a URL",
    )
    parser.add_argument(
        "--vault",
        metavar="URL",
        help="the database of the keys that close the clips; by default a SQLite file beside the far end's own keys",
    )
    parser.add_argument(
        "--share",
        metavar="NAME",
        help="divide the work with all who run with this name on the same broker and store; tell it to nobody else",
    )
    parser.add_argument(
        "--config",
        metavar="F",
        help="answer what is heard, under this profile or YAML file; without it clips are stored and transcribed",
    )
    parser.add_argument(
        "--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="such as ears.confidence_floor=0.3"
    )
    parser.add_argument(
        "--recognizer",
        metavar="NAME",
        help="auto, vosk, pocketsphinx or none; auto is vosk where it has a model from elsewhere; short for "
        "ears.recognizer",
    )
    parser.add_argument(
        "--log", choices=("terminal", "journal"), default="terminal", help="for people, or for a log [terminal]"
    )
    parser.add_argument(
        "--patient", action="store_true", help="begin also where the broker cannot be had, and wait for it"
    )
    parser.set_defaults(run=lambda args: run(args, keeping))


def run(args: argparse.Namespace, keeping: Keeping | None) -> int:
    """Receive until a signal comes; gives 0."""
    import platformdirs
    from rich.console import Console

    from device.journal import JournalLog
    from device.notify import Notifier
    from sim.cloud.assistant import live_assistant
    from sim.cloud.quota import Quota
    from sim.cloud.recognizer_process import RecognizerProcess
    from sim.cloud.server import FarEnd
    from sim.cloud.service import Cloud
    from sim.cloud.settings import load_cloud
    from sim.cloud.store import ClipStore
    from uplink.errors import AddressError
    from uplink.keyring import Keyring
    from uplink.seal import Seal

    console, notifier = Console(highlight=False, quiet=args.log == "journal"), Notifier.of(os.environ)
    tell = JournalLog().say if args.log == "journal" else partial(_show, console)
    ears = [] if args.recognizer is None else [("ears.recognizer", args.recognizer)]
    settings = load_cloud(args.config or "2018", [*args.set, *ears])
    if args.share is not None and args.broker_profile == "embedded":
        raise AddressError("the embedded broker delivers nothing to a share; leave --share, or use another broker")
    own = platformdirs.user_data_path("misheard") / "cloud"
    root = args.store or own
    keys = Keyring.of_far_end(args.keys or (own if "://" in str(root) else Path(root)))
    keys.own()  # or say at once that there is none
    with ExitStack() as stack:
        store = ClipStore(root, args.database, args.vault or keys.folder, lambda: datetime.now(UTC))
        stack.callback(store.close)
        store.quota = Quota.of(store.files, settings.deletion)
        recognizer = RecognizerProcess(
            settings.ears.recognizer, settings.ears, settings.verifier if args.config else None
        )
        stack.callback(recognizer.close)
        assistant = None if args.config is None else live_assistant(store, settings, recognizer)
        if assistant is not None:
            stack.callback(assistant.close)
        far_end = FarEnd(
            Cloud(store, recognizer, assistant),
            args.broker,
            Seal(keys),
            on_event=tell,
            access=access_of(args),
            share=args.share,
        )
        with _signals() as stop:
            far_end.start(strict=not args.patient)
            console.print(
                f"storing in {store.shown}, listening with {recognizer.name}; Ctrl-C ends", markup=False, soft_wrap=True
            )
            if keeping is not None:
                stack.enter_context(keeping(store, keys, settings.deletion, tell))
            notifier.tell("READY=1", f"STATUS=storing, listening with {recognizer.name}")
            while not stop.wait(_LOOK_S):
                far_end.check()
                notifier.feed()
            notifier.stopping()
            far_end.close()
    return 0


def _show(console: Console, kind: str, facts: Mapping[str, JSON]) -> None:
    console.print(describe(kind, facts), markup=False, soft_wrap=True)


def describe(kind: str, facts: Mapping[str, JSON]) -> str:
    """Give one line for a person: what came, then its facts."""
    return f"{kind:<12} " + "  ".join(f"{name}={value}" for name, value in facts.items())


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """Give an event that SIGINT and SIGTERM set, for as long as the block runs."""
    stop = threading.Event()

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, set_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
