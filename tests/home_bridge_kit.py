"""What the tests of the home share: a device that writes down its orders, and events as the firmware has them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from device.events import Event, Kind
from device.home.dialect import Answer, Post
from device.mute import Hand
from device.states import State
from uplink.message import JSON, Directive

DEADLINE_S = 20.0
CLIP = "dot-20260101t000000z-000000000000"


@dataclass
class Ordered:
    """Stands in for a running device: writes down what it is told and waits until there is enough of it."""

    orders: list[object] = field(default_factory=list)
    facts: list[tuple[str, Mapping[str, JSON]]] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def post(self, directive: Directive) -> None:
        self._keep(self.orders, directive)

    def switch(self, muted: bool | None, by: Hand) -> None:
        self._keep(self.orders, (muted, by))

    def await_word(self, awaits: bool) -> None:
        self._keep(self.orders, awaits)

    def tell(self, kind: str, facts: Mapping[str, JSON]) -> None:
        self._keep(self.facts, (kind, facts))

    def _keep(self, where: list[Any], what: object) -> None:
        with self._news:
            where.append(what)
            self._news.notify_all()

    def wait(self, enough: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(enough, DEADLINE_S), (self.orders, self.facts)

    def told(self, kind: str) -> list[Mapping[str, JSON]]:
        return [facts for name, facts in self.facts if name == kind]


def state(to: State) -> Event:
    return Event(0, Kind.STATE, {"from": State.IDLE, "to": to, "cause": "wake", "turn": None})


def wake(word: str = "alexa") -> Event:
    return Event(0, Kind.WAKE, {"word": word, "model": "f" * 64, "score": 0.912345, "threshold": 0.5})


def begin(initiator: str = "wakeword") -> Event:
    return Event(0, Kind.CAPTURE_BEGIN, {"clip": CLIP, "begin": 0, "initiator": initiator})


def posts(answers: Sequence[Answer]) -> dict[str, Any]:
    """What is said, by topic; JSON where it is that."""
    said: dict[str, Any] = {}
    for answer in answers:
        assert isinstance(answer, Post)
        try:
            said[answer.topic] = json.loads(answer.payload)
        except ValueError:
            said[answer.topic] = answer.payload
    return said
