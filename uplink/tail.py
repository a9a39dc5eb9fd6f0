"""`misheard uplink tail`: the traffic on a broker as it passes. What is sealed stays sealed."""

from __future__ import annotations

import argparse
import json
import queue
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from uplink.broker_options import access_of, add_broker_options
from uplink.errors import MessageError
from uplink.message import parse_topic

if TYPE_CHECKING:
    from rich.text import Text

_FILTER = "misheard/v1/#"
_STYLES = {"part": "magenta", "receipt": "green", "directive": "cyan", "status": "yellow", "event": "dim"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``uplink`` to the commands."""
    parser = subparsers.add_parser("uplink", help="watch what passes between devices and far ends")
    deeds = parser.add_subparsers(dest="deed", metavar="tail", required=True)
    tail = deeds.add_parser(
        "tail",
        help="show messages as they pass",
        description="Shows topic, size and clear header of every message on a broker, until Ctrl-C. Contents are "
        "sealed. The broker must let you read misheard/v1/#.",
    )
    add_broker_options(tail, "you")
    tail.add_argument("--json", action="store_true", help="a JSON object a line, for programs")
    tail.add_argument("--count", type=int, metavar="N", help="end after so many messages")
    tail.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show what passes, until Ctrl-C or `--count`."""
    import secrets

    from rich.console import Console
    from rich.text import Text

    from uplink.link import Link

    console = Console(highlight=False)
    news: queue.SimpleQueue[tuple[str, bytes | str]] = queue.SimpleQueue()
    link = Link(
        args.broker,
        f"misheard-tail-{secrets.token_hex(4)}",
        topics=[_FILTER],
        on_message=lambda topic, payload: news.put((topic, payload)),
        on_up=lambda: news.put(("", "connected")),
        on_down=lambda reason: news.put(("", reason)),
        access=access_of(args),
    )
    link.open(strict=True)
    try:
        seen = 0
        while args.count is None or seen < args.count:
            topic, payload = news.get()
            if isinstance(payload, str):
                console.print(Text(payload, "dim"))
                continue
            seen += 1
            facts = describe(topic, payload)
            if args.json:
                console.print(Text(json.dumps(facts)), soft_wrap=True)
            else:
                console.print(line(facts), soft_wrap=True)
    finally:
        link.close()
    return 0


def describe(topic: str, payload: bytes) -> dict[str, Any]:
    """Give what anybody can tell of a message: topic, device, kind, size in bytes, and its clear header."""
    facts: dict[str, Any] = {"topic": topic, "size": len(payload)}
    try:
        facts["device"], facts["kind"] = parse_topic(topic)
    except MessageError:
        return facts
    try:
        header = json.loads(payload.partition(b"\n")[0])
    except (ValueError, RecursionError):
        return facts
    return facts | {"header": header} if isinstance(header, dict) else facts


def line(facts: Mapping[str, Any]) -> Text:
    """Give one line for a person; whatever came, it does a terminal no harm."""
    from rich.text import Text

    if "kind" not in facts:
        return Text.assemble((f"{facts['size']:>7}  ", "dim"), f"{facts['topic']!a}  is not one of ours")
    header = facts.get("header")
    rest = "its header cannot be read" if header is None else _words(header)
    return Text.assemble(
        (f"{facts['size']:>7}  ", "dim"),
        (f"{facts['kind']:<10}", _STYLES.get(facts["kind"], "")),
        f"{facts['device']:<12}  ",
        (rest, "" if facts["kind"] == "part" else "dim"),
    )


def _words(header: Mapping[str, Any]) -> str:
    if "clip" in header and "number" in header:
        last = ", the last" if header.get("last") else ""
        return f"{_plain(header['clip'])} part {_plain(header['number'])}{last}, sealed to {_plain(header.get('key'))}"
    if "status" in header:
        return _plain(json.dumps(header["status"]))
    return f"sealed to {_plain(header.get('key'))}"


def _plain(value: object) -> str:
    """Give it as text that can do a terminal no harm."""
    return ascii(value)[:200].strip("'")
