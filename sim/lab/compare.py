"""Engines side by side on the very same sound: differences with paired bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.lab.detection import wished_threshold
from sim.lab.evaluate import Evaluated
from sim.lab.intervals import Interval, paired_bootstrap
from sim.lab.tally import Tally


@dataclass(frozen=True)
class Difference:
    """`one` minus `other`, in a measure; negative: `one` misses, or wakes falsely, more seldom."""

    condition: str
    one: str
    other: str
    measure: str
    at: str
    """Each at its ``own threshold``, or at that for the ``wished rate``."""
    difference: float
    interval: Interval

    @property
    def shown(self) -> bool:
        """Whether 0 lies outside the interval."""
        return not self.interval.low <= 0 <= self.interval.high

    def facts(self) -> dict[str, Any]:
        """As `results.json` has it."""
        return {**asdict(self), "interval": list(self.interval), "shown": self.shown}


def differences(found: Evaluated) -> list[Difference]:
    """Every pair of engines under every condition. The thresholds for the wished rate are taken as given."""
    plan = found.plan
    rows: list[Difference] = []
    for condition in plan.conditions:
        there = [each for each in found.tallies if each.condition == condition]
        for one, other in combinations(there, 2):
            rows += _pair(one, other, "own threshold", one.own, other.own, plan.seed)
            wished = [_wished(each, plan.per_hour) for each in (one, other)]
            if wished[0] is not None and wished[1] is not None:
                at = f"threshold for {plan.per_hour:g} an hour"
                rows += _pair(one, other, at, wished[0], wished[1], plan.seed)
    return rows


def _wished(of: Tally, per_hour: float) -> int | None:
    every = np.ones(len(of.words), bool)
    if not of.hours.sum():
        return None
    grid = of.engine.grid
    threshold = wished_threshold([of.point(number, every) for number in range(len(grid))], per_hour).threshold
    return None if threshold is None else grid.index(threshold)


def _pair(one: Tally, other: Tally, at: str, row: int, its_row: int, seed: int) -> list[Difference]:
    measures: Sequence[tuple[str, NDArray[Any], NDArray[Any], NDArray[Any]]] = (
        ("miss rate", one.misses[row], other.misses[its_row], one.words),
        ("false wakes per hour", one.false_wakes[row], other.false_wakes[its_row], one.hours),
    )
    return [
        Difference(
            str(one.condition),
            one.engine.label,
            other.engine.label,
            measure,
            at,
            float((mine.sum() - its.sum()) / size.sum()),
            paired_bootstrap(mine[size > 0], its[size > 0], size[size > 0], seed),
        )
        for measure, mine, its, size in measures
        if size.sum()
    ]
