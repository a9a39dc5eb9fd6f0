"""What a manufacturer would see of the fleet, out of the stretches that were played.

Conventions
-----------
- A row is a play, `sim.lab.fleet.playing.COLUMNS` with its ``kind``; of each kind the plays are independent draws.
- A play of a kind with T stretches in the fleet and n plays, of weight w, stands for ``T w / n`` stretches: what it
  brings to a figure per device-day is that over the device-days, times what happened in it (Hansen and Hurwitz 1943).
- Silence is played to see that nothing wakes in it. What wakes in it counts; that nothing did is told by itself, and is
  left out of the bounds, which it would make those of so many hours of silence alone.
- Chains begin with a false wake: they are of talk and television, in which nobody addresses a device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.lab.fleet.fleet import SILENCE
from sim.lab.fleet.household import DAY_S, KINDS, UNADDRESSED
from sim.lab.fleet.stretch import HEAVIEST
from sim.lab.funnel import LINKS, reached
from sim.lab.intervals import Interval, garwood
from sim.lab.weighted import chained, effective, stratified_bootstrap, weighted_rate, weighted_share
from sim.review.policy import ReviewPolicy
from sim.review.queues import queue_of

MILLION = 1_000_000

Row = Mapping[str, Any]


class Figure(NamedTuple):
    """An estimate with its interval; `seen` plays had what it counts, worth `effective` ones of one weight."""

    value: float
    interval: Interval
    seen: int
    effective: float


class Link(NamedTuple):
    """A link of the chain: how many plays came to it and held, and shares of the weights.

    `rate`: how often a device-day comes through it.
    """

    name: str
    came: int
    held: int
    effective: float
    share: float | None
    interval: Interval
    rate: Figure


@dataclass(frozen=True)
class Estimates:
    """All figures, per device-day unless said otherwise. `messages` are per million of them."""

    plays: Mapping[str, int]
    effective: Mapping[str, float]
    seconds: float
    false_wakes: Figure
    by_kind: Mapping[str, Figure]
    television_day: Figure | None
    """False wakes in a day of nothing but television."""
    uploaded_s: Figure
    drawn: Figure
    messages: Figure
    messages_unseen: float
    """At most so many, also if what comes through a link unseen goes on otherwise than what was seen to come."""
    after_requests: Figure
    """The same, where somebody addressed the device."""
    links: tuple[Link, ...]
    silence: Mapping[str, Any]


class _Plays:
    """The plays that could be played, and what each brings to a figure per device-day."""

    def __init__(self, rows: Sequence[Row], stretches: Mapping[str, float], device_days: float) -> None:
        self.rows = [row for row in rows if row["error"] is None]
        self.kinds = np.array([row["kind"] for row in self.rows])
        self.counts = {kind: int(np.sum(self.kinds == kind)) for kind in (*KINDS, SILENCE)}
        self.totals = {kind: stretches[kind] / device_days for kind in self.counts}
        self.weights = np.exp(np.array([row["log_weight"] for row in self.rows], np.float64))
        self.scales = {kind: self.totals[kind] / n if n else 0.0 for kind, n in self.counts.items()}
        self.sizes = self.weights * [self.scales[kind] for kind in self.kinds.tolist()]

    def of(self, kinds: Sequence[str]) -> NDArray[np.bool_]:
        """Which plays are of these."""
        found: NDArray[np.bool_] = np.isin(self.kinds, kinds)
        return found

    def heaviest(self, kinds: Sequence[str], most: float = 1.0) -> float:
        """The most that a play of these kinds can bring, with so many events."""
        return max(self.scales[kind] * most * (HEAVIEST if kind in UNADDRESSED else 1.0) for kind in kinds)

    def values(self, name: str) -> NDArray[np.float64]:
        """A column."""
        return np.array([row[name] for row in self.rows], np.float64)


def estimate(
    rows: Sequence[Row], stretches: Mapping[str, float], device_days: float, policy: ReviewPolicy, seed: int
) -> Estimates:
    """Estimate everything; raises ValueError where no play could be played."""
    plays = _Plays(rows, stretches, device_days)
    if not plays.rows:
        raise ValueError("without a play nothing can be estimated")
    wakes = plays.values("false_wakes")
    chance = np.array([drawn_of(row, policy) for row in plays.rows], np.float64)
    there = [kind for kind in KINDS if plays.counts[kind]]
    return Estimates(
        plays=plays.counts,
        effective={kind: effective(plays.weights[plays.kinds == kind]) for kind in there},
        seconds=float(np.sum(plays.values("seconds"))),
        false_wakes=_counted(plays, wakes, there),
        by_kind={kind: _counted(plays, wakes, [kind]) for kind in there},
        television_day=_television_day(plays, wakes) if "television" in there else None,
        uploaded_s=_summed(plays, plays.values("uploaded_s"), there, seed),
        drawn=_summed(plays, chance, there, seed),
        messages=_messages(plays),
        messages_unseen=_messages_unseen(plays),
        after_requests=_after_requests(plays),
        links=tuple(_links(plays)),
        silence=_silence(plays),
    )


def drawn_of(row: Row, policy: ReviewPolicy) -> float:
    """How many of a play's clips are drawn for people to listen to, on the average."""
    if policy.refusal(row["choice"]) is not None:
        return 0.0
    rates = []
    for clip in row["clips"]:
        words = None if clip["words"] is None else [[text, 0, 0, sure] for text, sure in clip["words"]]
        rates.append(policy.rate_of(queue_of(clip, words, policy.low_confidence)[0]))
    return sum(rates)


def _counted(plays: _Plays, events: NDArray[np.float64], kinds: Sequence[str]) -> Figure:
    """Events in plays of these kinds; where all of them are meant, those in silence count, too."""
    which = plays.of([*kinds, SILENCE] if len(kinds) > 1 else kinds) & (events > 0)
    sizes = (plays.sizes * events)[which]
    heaviest = plays.heaviest(kinds, max([1.0, *events[which].tolist()]))
    interval = weighted_rate(sizes, 1.0, max([heaviest, *sizes.tolist()]))
    return Figure(float(np.sum(sizes)), interval, int(np.sum(which)), effective(sizes))


def _television_day(plays: _Plays, events: NDArray[np.float64]) -> Figure:
    which = plays.of(["television"])
    weights, heard = plays.weights[which], plays.values("seconds")[which] * plays.values("devices")[which]
    exposure = float(weights @ heard) / DAY_S
    sizes = (weights * events[which])[events[which] > 0]
    interval = weighted_rate(sizes, exposure, HEAVIEST * max(1.0, float(np.max(events[which]))))
    return Figure(float(np.sum(sizes)) / exposure, interval, len(sizes), effective(sizes))


def _summed(plays: _Plays, amounts: NDArray[np.float64], kinds: Sequence[str], seed: int) -> Figure:
    """Amounts that are no counts, by a bootstrap in each kind."""
    parts = [(plays.weights * amounts)[plays.kinds == kind] for kind in kinds]
    interval = stratified_bootstrap(parts, [plays.totals[kind] for kind in kinds], seed)
    sizes = (plays.sizes * amounts)[plays.of(kinds) & (amounts > 0)]
    return Figure(float(np.sum(sizes)), interval, len(sizes), effective(sizes))


def _chains(plays: _Plays) -> tuple[list[int], NDArray[np.float64], float]:
    """How far each play in which nobody addresses a device came, what it brings, and the most that one could."""
    which = plays.of(UNADDRESSED)
    depths = [reached(row) for row, chosen in zip(plays.rows, which.tolist(), strict=True) if chosen]
    return depths, plays.sizes[which], plays.heaviest(UNADDRESSED)


def _messages(plays: _Plays) -> Figure:
    depths, sizes, heaviest = _chains(plays)
    ended = sizes[np.array(depths, np.int64) == len(LINKS)]
    low, high = chained(depths, sizes, 1.0, heaviest, len(LINKS))
    return Figure(MILLION * float(np.sum(ended)), Interval(MILLION * low, MILLION * high), len(ended), effective(ended))


def _messages_unseen(plays: _Plays) -> float:
    depths, sizes, heaviest = _chains(plays)
    return MILLION * weighted_rate(sizes[np.array(depths, np.int64) == len(LINKS)], 1.0, heaviest).high


def _after_requests(plays: _Plays) -> Figure:
    which = plays.of(["requests"])
    seen = int(np.sum(plays.values("misdirected")[which] > 0))
    scale = MILLION * plays.scales["requests"]
    low, high = garwood(seen, 1.0)
    return Figure(scale * seen, Interval(scale * low, scale * high), seen, float(seen))


def _links(plays: _Plays) -> list[Link]:
    depths, sizes, heaviest = _chains(plays)
    deep = np.array(depths, np.int64)
    found = []
    for number, name in enumerate(LINKS):
        came, held = deep >= number, deep > number
        of = float(np.sum(sizes[came]))
        through = sizes[held]
        interval = weighted_share(held[came].tolist(), sizes[came])
        bounds = chained(depths, sizes, 1.0, heaviest, number + 1)
        rate = Figure(float(np.sum(through)), bounds, int(np.sum(held)), effective(through))
        share = float(np.sum(through)) / of if of else None
        found.append(Link(name, int(np.sum(came)), int(np.sum(held)), effective(sizes[came]), share, interval, rate))
    return found


def _silence(plays: _Plays) -> dict[str, Any]:
    which = [row for row in plays.rows if row["kind"] == SILENCE]
    heard = sum(row["seconds"] * row["devices"] for row in which)
    wakes = sum(row["false_wakes"] for row in which)
    return {
        "plays": len(which),
        "hours": heard / 3600,
        "false_wakes": wakes,
        "per_hour": garwood(wakes, heard / 3600),
        "highest": max((row["highest"] for row in which), default=None),
    }
