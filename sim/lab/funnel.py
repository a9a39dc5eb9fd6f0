"""How likely each link of the chain from a word to a wrong message is, given that those before it held.

Conventions: a trial is a play, `sim.lab.trial.OUTCOMES`; a link can hold only where all before it did, and where a
message went out all of them did. Shares are of the trials that came so far, with Wilson's interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sim.lab.intervals import Interval, wilson
from sim.play.outcome import REQUEST

LINKS = ("wake", "intent", "contact", "confirmation", "message")


class Link(NamedTuple):
    """One link: how many trials came to it, how many came through, and the share of that."""

    name: str
    came: int
    held: int
    share: float | None
    interval: Interval
    overall: Interval
    """Of all trials, how many came through."""


def reached(row: Mapping[str, Any]) -> int:
    """How many links of the chain held, 0 to 5; row as `sim.lab.trial.play` gives it."""
    if row["sent"]:
        return len(LINKS)
    held = (row["woke"], row["intent"] == REQUEST, row["contact"] is not None, row["confirmed"] is True, False)
    return held.index(False) if False in held else len(LINKS)


def links(depths: Sequence[int]) -> list[Link]:
    """Give the links, of how far each trial came."""
    came = [sum(depth >= number for depth in depths) for number in range(len(LINKS) + 1)]
    return [
        Link(
            name,
            came[number],
            came[number + 1],
            came[number + 1] / came[number] if came[number] else None,
            wilson(came[number + 1], came[number]),
            wilson(came[number + 1], len(depths)),
        )
        for number, name in enumerate(LINKS)
    ]


def stopped(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How often which link did not hold, as the plays themselves say it."""
    counts: dict[str, int] = {}
    for row in rows:
        name = row["stopped"] or "sent"
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def as_results(found: Sequence[Link]) -> list[dict[str, Any]]:
    """Give links as plain values."""
    return [{**link._asdict(), "given": LINKS[number - 1] if number else None} for number, link in enumerate(found)]
