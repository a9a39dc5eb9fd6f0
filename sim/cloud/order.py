"""An order to delete: who wants what deleted, of whom, and how far that goes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Literal

from sim.cloud.schema import stamp
from sim.cloud.turn import REACHES, Deletion, Reach

By = Literal["voice", "customer", "command", "retention"]
Scope = Literal["clip", "last", "today", "day", "all", "expired"]
State = Literal["done", "nothing there", "kept by policy", "cannot be reached", "waiting"]
"""What became of an order at a place."""


@dataclass(frozen=True)
class Order:
    """An order; `at` is when it was given, in the home's own time.

    customer: his number; empty where the devices say whose they are. devices: those alone; none takes all of his.
    clip: the one that is meant (scope "clip"), or in which it was asked ("last", "today"). day: of the home's time.
    before: what began earlier has expired.
    """

    by: By
    who: str
    scope: Scope
    at: datetime
    customer: str = ""
    devices: tuple[str, ...] = ()
    clip: str = ""
    day: date | None = None
    before: datetime | None = None
    reaches: tuple[Reach, ...] = REACHES

    @cached_property
    def id(self) -> str:
        """What it is called: the same order again is the same deletion."""
        facts = json.dumps(asdict(self), default=str, sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()[:24]

    @property
    def span(self) -> tuple[str, str] | None:
        """From when until when all that was heard is meant; none where single clips are."""
        if self.scope == "all":
            return "0", stamp(self.at)
        if self.scope == "expired" and self.before is not None:
            return "0", stamp(self.before)
        day = self.at.date() if self.scope == "today" else self.day if self.scope == "day" else None
        if day is None:
            return None
        midnight = datetime.combine(day, time(), self.at.tzinfo)
        return stamp(midnight), stamp(midnight + timedelta(days=1))


def order_of(deletion: Deletion, devices: Sequence[str] = ()) -> Order:
    """Give the order that somebody spoke; devices: of a whole day's clips those of these, none the one spoken to."""
    spoken_to = (deletion.device,)
    whose = tuple(devices) or spoken_to if deletion.scope == "today" else spoken_to
    who = f"whoever spoke to {deletion.device}"
    return Order("voice", who, deletion.scope, deletion.at, "", whose, deletion.clip, reaches=deletion.reaches)
