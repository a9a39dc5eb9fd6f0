"""What is measured: figures of several rounds, taken in turn with those of a peer, and the rows of the table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Figure:
    """The values of all rounds, in order."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def percentile(self, percent: float) -> Figure:
        """The value under which so many per cent of them are."""
        return Figure((float(np.percentile(self.values, percent)),))

    def each(self, change: Callable[[float], float]) -> Figure:
        """Every value changed, such as seconds into milliseconds."""
        return Figure(tuple(change(value) for value in self.values))

    def over(self, other: Figure) -> Figure:
        """The quotients, round by round: what disturbs a round disturbs both."""
        return Figure(tuple(a / b for a, b in zip(self.values, other.values, strict=True)))

    def as_json(self) -> dict[str, Any]:
        """Median, spread and all values."""
        return {
            "median": self.median,
            "lowest": min(self.values),
            "highest": max(self.values),
            "values": list(self.values),
        }


@dataclass(frozen=True)
class Row:
    """One line of the table: ours beside a peer or a physical limit.

    `ratio` is above 1 where ours is ahead. Without `ours` the row was skipped, and `remark` says why.
    """

    what: str
    unit: str = ""
    ours: Figure | None = None
    peer: str = ""
    theirs: Figure | None = None
    ratio: Figure | None = None
    aim: str = ""
    remark: str = ""

    def as_json(self) -> dict[str, Any]:
        """All of it, with every value."""
        figures = {"ours": self.ours, "theirs": self.theirs, "ratio": self.ratio}
        return {
            "what": self.what,
            "unit": self.unit,
            "peer": self.peer,
            "aim": self.aim,
            "remark": self.remark,
            **{name: figure and figure.as_json() for name, figure in figures.items()},
        }


def latency_rows(what: str, ours: Figure, peer: str, theirs: Figure, remark: str = "") -> Iterator[Row]:
    """Two rows for milliseconds of many rounds, which need not be as many for both: the median, and the slowest."""
    middle = theirs.percentile(50).over(ours.percentile(50))
    yield Row(what, "ms", ours, peer, theirs, middle, remark=remark)
    mine, others = ours.percentile(99), theirs.percentile(99)
    yield Row(f"{what}, 99th percentile", "ms", mine, peer, others, others.over(mine))


def in_turn(rounds: int, warm_up: int, contenders: Mapping[str, Callable[[], float]]) -> dict[str, Figure]:
    """Measure A B C A B C ..., after rounds for warming up; each contender gives its own figure when called."""
    values: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(warm_up + rounds):
        for name, measure in contenders.items():
            value = measure()
            if number >= warm_up:
                values[name].append(value)
    return {name: Figure(tuple(many)) for name, many in values.items()}
