"""`misheard home-assistant`: show what the device tells Home Assistant, or take it away again."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable

from device.errors import ConfigError

_ECHO_S = 10.0


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], pair: Callable[[str], tuple[str, str]]
) -> None:
    """Add `misheard home-assistant`; `pair` reads ``KEY=VALUE``."""
    parser = subparsers.add_parser(
        "home-assistant",
        help="show or take away what the device tells Home Assistant",
        description="show: prints the announcement. remove: takes it, and all that home.broker keeps of the device, "
        "away; a device that runs announces itself again at its next connection.",
    )
    add = parser.add_argument
    add("what", choices=("show", "remove"))
    add("--config", default="echo-dot", metavar="F", help="a profile's name or a YAML file [echo-dot]")
    add(
        "--set",
        action="append",
        default=[],
        type=pair,
        metavar="KEY=VALUE",
        help="such as home.broker=mqtt://127.0.0.1",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the announcement, or remove it; 1 where the broker does not confirm that."""
    from device.config import load_device
    from device.home.home_assistant import HomeAssistant
    from uplink.link import Link

    settings = load_device(args.config, args.set)
    home = settings.home
    there = HomeAssistant(settings.name, home.home_assistant.discovery_prefix, home.texts)
    if args.what == "show":
        print(json.dumps(there.discovery(), indent=2, ensure_ascii=False))
        return 0
    if home.broker is None:
        raise ConfigError("no broker is named; name one with --set home.broker=mqtt://HOST")
    left = Echo(there.retained())
    link = Link(
        home.url(),
        f"misheard-{settings.name}-remove",
        topics=sorted(left.topics),
        on_message=left.hear,
        on_up=lambda: None,
        on_down=lambda _reason: None,
        access=home.access(),
    )
    link.open(strict=True)
    try:
        for topic in there.retained():
            link.publish(topic, b"", qos=1, retain=True)
        gone = left.wait(_ECHO_S)
    finally:
        link.close()
    if not gone:
        print(
            f"the broker at {link.address} does not confirm it; check what {home.user or 'this end'} may publish there"
        )
        return 1
    print(f"{settings.name} is taken away from Home Assistant")
    return 0


class Echo:
    """Waits until each topic has brought an empty message: the broker has taken it, and tells all who listen."""

    def __init__(self, topics: tuple[str, ...]) -> None:
        self.topics = set(topics)
        self._news = threading.Condition()

    def hear(self, topic: str, payload: bytes) -> None:
        """Take a message."""
        if not payload:
            with self._news:
                self.topics.discard(topic)
                self._news.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Whether all of them came within that time."""
        with self._news:
            return self._news.wait_for(lambda: not self.topics, timeout_s)
