"""What every way of talking to the home has in common: events in, posts out, and what is heard there becomes orders.

A dialect does no I/O and knows no clock. Its owner calls it from one thread.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from device.audio import Block
from device.events import Event
from device.orders import Refused
from uplink.link import Will
from uplink.message import JSON, Directive

MAX_BYTES = 4096
"""No message that the home sends a device is longer."""


@dataclass(frozen=True)
class Post:
    """Something to publish. A `retained` one is a state and worth repeating, any other a moment that passes."""

    topic: str
    payload: bytes
    retained: bool = False
    qos: int = 1


@dataclass(frozen=True)
class Press:
    """Have the microphone off (True) or on (False)."""

    muted: bool


@dataclass(frozen=True)
class AwaitWord:
    """Have a wake word wake, or not."""

    awaits: bool


Answer: TypeAlias = Directive | Press | AwaitWord | Post
"""What comes of a message: something the device is to do, or something to say."""


class Dialect(Protocol):
    """One way of talking to the home."""

    topics: Sequence[str]
    """What it listens to; each without wildcards."""
    kinds: frozenset[str]
    """The events that it wants to be told."""
    hears: bool
    """Whether it wants all the sound."""
    will: Will | None
    """What the broker is to say when the device is gone."""

    def greet(self) -> Sequence[Post]:
        """Say all there is to know: the connection is new."""
        ...

    def tell(self, event: Event) -> Sequence[Post]:
        """Say what comes of an event."""
        ...

    def hear(self, block: Block) -> Sequence[Post]:
        """Say what comes of sound."""
        ...

    def obey(self, topic: str, payload: bytes) -> Sequence[Answer]:
        """Make sense of a message on one of the topics; raises Refused."""
        ...

    def part(self) -> Sequence[Answer]:
        """The connection is lost, or is about to be closed."""
        ...


def encode(facts: Mapping[str, JSON]) -> bytes:
    """Write JSON as it goes over the wire."""
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()


def decode(payload: bytes) -> Mapping[str, JSON]:
    """Read a JSON object that somebody else wrote; raises Refused."""
    if len(payload) > MAX_BYTES:
        raise Refused(f"it has {len(payload)} bytes, more than {MAX_BYTES}")
    try:
        facts = json.loads(payload)
    except (ValueError, RecursionError):  # UnicodeDecodeError among them
        raise Refused("it is not JSON") from None
    if not isinstance(facts, dict):
        raise Refused("it is no JSON object")
    return facts
