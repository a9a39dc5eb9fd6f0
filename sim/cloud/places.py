"""The places that a deletion has to get to, and what is known of each as the order is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from sim.cloud.deletion import SPOOL_DAYS, Removed
from sim.cloud.order import Order, State
from sim.cloud.turn import Reach

PLACES = (
    *("keys", "audio", "transcripts", "dialog", "turns", "messages", "tasks", "annotations", "escalations", "exports"),
    *("caches", "database", "spools", "wire", "recipients", "listeners", "backups"),
)
"""Every place there is, in the order in which a statement names them."""

_REACH_OF: Mapping[str, Reach] = {
    "audio": "audio",
    "transcripts": "transcripts",
    "dialog": "transcripts",
    "turns": "audio",
    "messages": "messages",
    "tasks": "audio",
    "annotations": "annotations",
    "escalations": "annotations",
    "exports": "exports",
}
"""By place: what must be in an order's reaches to get there."""
_LATER = {"audio", "messages", "exports"}
"""Places whose rows, or files, go after the transaction in which an order is taken."""


@dataclass(frozen=True)
class Place:
    """What became of an order at one place; `count` of what lay there, `utc` when, `why` where it needs a word."""

    place: str
    state: State
    utc: str
    count: int
    why: str


def places_of(order: Order, removed: Removed, keys: int, utc: str, is_file: bool) -> Iterator[Place]:
    """Give each place as it is once the rows are gone; `is_file`: whether the database is a file of this end's own."""

    def place(name: str, state: str, count: int = 0, why: str = "") -> Place:
        return Place(name, cast("State", state), utc, count, why)

    for name, reach in _REACH_OF.items():
        count = removed.found[name]
        if reach not in order.reaches:
            yield place(name, "kept by policy" if count else "nothing there", count)
        elif not count:
            yield place(name, "nothing there")
        elif name in _LATER:
            yield place(name, "waiting", count, "it goes as soon as that can be done, also after a restart")
        else:
            yield place(name, "done", count)
    yield place("caches", "waiting", 0, "what is in memory")
    yield place(
        "keys",
        "waiting" if keys else "nothing there",
        keys,
        "" if keys else "a key goes only with all that it closes",
    )
    if is_file:
        yield place("database", "waiting", 0, "another program reads it just now")
    else:
        yield place(
            "database", "cannot be reached", 0, "PostgreSQL overwrites what was in deleted rows when it needs the room"
        )
    audio = "audio" in order.reaches
    spools = removed.spools if audio else 0
    asked = f"the devices are asked; a clip older than {SPOOL_DAYS} days that had come whole is in no spool any more"
    yield place("spools", "waiting" if spools else "nothing there", spools, asked if spools else "")
    if audio:
        yield place("wire", "done", removed.found["audio"], "what still comes of these clips is not kept")
    else:
        yield place("wire", "kept by policy")
    sent, heard = removed.found["messages"], len(removed.listeners)
    yield place(
        "recipients",
        "cannot be reached" if sent else "nothing there",
        sent,
        "these messages are with those to whom they were sent" if sent else "",
    )
    yield place(
        "listeners",
        "cannot be reached" if heard else "nothing there",
        heard,
        "so many people listened, and may remember" if heard else "",
    )
    silent = "sound in it stays closed, as its key is gone; words do not" if keys else "nothing of it changes"
    yield place("backups", "cannot be reached", 0, f"a copy of the store that somebody made before: {silent}")
