"""What the tests of the delivery share: the test itself as broker and far end, and a disk that fails when told to."""

from __future__ import annotations

import random
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from tests.spool_kit import Row
from uplink.delivery import Delivery
from uplink.errors import MessageError, SpoolError
from uplink.inventory import Parts
from uplink.message import Receipt
from uplink.spool import Spool, Spooled

RESEND_S = 5.0


@dataclass
class Wire:
    """A delivery, what it publishes and asks, and what it tells."""

    spool: Spool
    up: bool = True
    wait_s: float = 0.0
    trusted: bool = True
    in_flight: int = 4
    sent: list[bytes] = field(default_factory=list)
    asked: list[tuple[int, Parts]] = field(default_factory=list)
    facts: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.delivery = Delivery(
            self.spool,
            publish=self._publish,
            ask=self._ask,
            wait_s=lambda: self.wait_s,
            on_fact=lambda kind, facts: self.facts.append((kind, facts)),
            in_flight=self.in_flight,
            resend_s=RESEND_S,
            chance=random.Random(1),
        )

    def _publish(self, payload: bytes) -> bool:
        if self.up:
            self.sent.append(payload)
        return self.up

    def _ask(self, question: int, parts: Parts) -> None:
        if not self.trusted:
            raise MessageError("no far end is trusted", "unknown far end")
        self.asked.append((question, parts))

    def take(self) -> list[bytes]:
        """Give what was sent since the last time."""
        sent, self.sent = self.sent, []
        return sent

    def told(self, kind: str) -> list[Mapping[str, Any]]:
        return [facts for told, facts in self.facts if told == kind]


def put(wire: Wire, one: Row, *, last: bool = False) -> None:
    assert wire.spool.put(*one, last=last)
    wire.delivery.offer_all([one[:2]])


def receipt(one: Row, *, complete: bool = False) -> Receipt:
    return Receipt("dot", one[0], one[1], one[2], complete)


def payloads(rows: list[Row]) -> list[bytes]:
    return [one[3] for one in rows]


class Failing(Spool):
    """A spool on a disk that fails when it is told to."""

    failing = unlisted = False
    unreadable: AbstractSet[tuple[str, int]] = frozenset()
    tried = 0

    def get(self, clip: str, number: int) -> Spooled | None:
        if self.failing or (clip, number) in self.unreadable:
            self.tried += 1
            raise SpoolError("the disk fails")
        return super().get(clip, number)

    def parts(self, clip: str) -> list[tuple[int, int, str]]:
        if self.unlisted:
            raise SpoolError("the disk fails")
        return super().parts(clip)

    def settle(self, receipts: Any) -> set[tuple[str, int]]:
        if self.failing:
            raise SpoolError("the disk fails")
        return super().settle(receipts)
