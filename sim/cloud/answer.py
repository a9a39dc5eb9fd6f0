"""What the far end gives back: directives for devices, and facts on what it took for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.cloud.transcript import Transcript
from uplink.message import JSON, Directive


@dataclass(frozen=True)
class Fact:
    """Something the far end found or decided; `docs/events.md` lists the facts of each kind."""

    kind: str
    facts: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True)
class Directed:
    """A directive and the device that is to obey it."""

    device: str
    directive: Directive


@dataclass(frozen=True)
class Answer:
    """What the far end makes of a clip: the transcript, what it decided, and what it wants of devices."""

    clip: str
    device: str
    transcript: Transcript
    facts: tuple[Fact, ...]
    directives: tuple[Directed, ...]


OWN_NEWS = frozenset({"connected", "disconnected", "stored", "complete", "event", "status", "overrun"})
"""What a far end tells of itself, and not of what it makes of a clip."""
