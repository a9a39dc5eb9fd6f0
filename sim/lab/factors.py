"""Which of the things that differ between trials matter for a yes or no: a logistic regression with a small ridge.

Conventions
-----------
- Numbers are standardised, names become one column each (all of them, less their mean: the ridge chooses among them).
- The share of a factor is by how much the deviance of the model rises when it is left out, as a share of the deviance
  without any factor. Shares need not add up: what two factors both explain belongs to neither.
- A factor without any influence has a share above 0, too: `chance` is the 95th percentile of the share under random
  reassignment of the factor to the trials. Only above that a factor is shown to matter.
- Intervals of shares resample trials (percentile bootstrap); those of odds ratios are Wald's, with the ridge in the
  curvature: they are pulled towards 1 where there are few trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.lab.intervals import Interval

RIDGE = 1.0
"""The penalty, half of this times the squares of the coefficients: that of one trial's worth of doubt."""

LEAST = 5
"""Trials with either outcome without which nothing is said."""

DRAWS = 200
Z = 1.959964
"""Of a normal distribution, for 95 %."""

Table = NDArray[np.float64]


class Odds(NamedTuple):
    """By what the odds change, for one standard deviation more of a number, or for a name against the others."""

    of: str
    ratio: float
    interval: Interval


class Factor(NamedTuple):
    """One factor, and how much it matters."""

    name: str
    share: float
    interval: Interval
    chance: float
    odds: tuple[Odds, ...]

    @property
    def shown(self) -> bool:
        """Whether it is shown to matter."""
        return self.share > self.chance


def importance(factors: Sequence[Mapping[str, float | str]], held: Sequence[bool], seed: int) -> list[Factor] | None:
    """Rank factors, the most important first; None where there are too few trials of either outcome."""
    y = np.asarray(held, np.float64)
    if min(y.sum(), len(y) - y.sum()) < LEAST or not factors[0]:
        return None
    rng = np.random.default_rng(seed)
    blocks = {name: _columns([trial[name] for trial in factors]) for name in factors[0]}
    names = list(blocks)
    tables = [blocks[name][1] for name in names]
    whole = shares(tables, y)
    resampled = [_resample(rng, tables, y) for _ in range(DRAWS)]
    found = []
    for number, name in enumerate(names):
        draws = np.sort([each[number] for each in resampled])
        chance = _by_chance(rng, tables, number, y)
        interval = Interval(float(np.percentile(draws, 2.5)), float(np.percentile(draws, 97.5)))
        found.append(Factor(name, whole[number], interval, float(np.percentile(chance, 95)), ()))
    odds = _odds(blocks, y)
    found = [factor._replace(odds=odds[factor.name]) for factor in found]
    return sorted(found, key=lambda factor: (-factor.share, factor.name))


def shares(blocks: Sequence[Table], y: Table) -> list[float]:
    """By how much the deviance rises without each block of columns, as a share of that without any."""
    nothing, everything = deviance([], y), deviance(blocks, y)
    without = [deviance([*blocks[:n], *blocks[n + 1 :]], y) for n in range(len(blocks))]
    return [max(0.0, (each - everything) / nothing) for each in without]


def deviance(blocks: Sequence[Table], y: Table) -> float:
    """Twice the negative log likelihood of the fitted model: float64[n, k] each, and 0 or 1 in float64[n]."""
    x = np.hstack([np.zeros((len(y), 0)), *blocks])
    weights, _ = fit(x, y)
    margin = _with_one(x) @ weights
    return float(2 * np.sum(np.logaddexp(0, margin) - y * margin))


def fit(x: Table, y: Table) -> tuple[Table, Table]:
    """Coefficients, the constant first and without a penalty, and their covariance; by Newton's method."""
    design = _with_one(x)
    penalty = np.full(design.shape[1], RIDGE)
    penalty[0] = 1e-9  # all trials alike would put it at infinity
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        curvature = (design * (p * (1 - p))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, design.T @ (y - p) - penalty * weights)
        weights = weights + np.clip(step, -5, 5)
        if np.max(np.abs(step)) < 1e-6:
            break
    return weights, np.asarray(np.linalg.inv(curvature), np.float64)


def _with_one(x: Table) -> Table:
    return np.hstack([np.ones((len(x), 1)), x])


def _columns(values: Sequence[float | str]) -> tuple[list[str], Table]:
    if all(isinstance(value, str) for value in values):
        names = sorted({str(value) for value in values})
        table = np.array([[float(value == name) for name in names] for value in values])
        return names, table - table.mean(axis=0)
    numbers = np.asarray(values, np.float64)
    spread = numbers.std()
    return [""], ((numbers - numbers.mean()) / (spread if spread > 0 else 1.0))[:, None]


def _resample(rng: np.random.Generator, blocks: Sequence[Table], y: Table) -> list[float]:
    chosen = rng.integers(len(y), size=len(y))
    if y[chosen].min() == y[chosen].max():
        return [0.0] * len(blocks)
    return shares([block[chosen] for block in blocks], y[chosen])


def _by_chance(rng: np.random.Generator, blocks: Sequence[Table], number: int, y: Table) -> Table:
    """float64[DRAWS]: the share of a block whose rows were given to other trials."""
    others = [*blocks[:number], *blocks[number + 1 :]]
    nothing, without = deviance([], y), deviance(others, y)
    orders = [rng.permutation(len(y)) for _ in range(DRAWS)]
    moved = [deviance([*others, blocks[number][order]], y) for order in orders]
    return np.maximum(0.0, (without - np.array(moved)) / nothing)


def _odds(blocks: Mapping[str, tuple[list[str], Table]], y: Table) -> dict[str, tuple[Odds, ...]]:
    weights, covariance = fit(np.hstack([table for _, table in blocks.values()]), y)
    found, at = {}, 1
    for name, (labels, _) in blocks.items():
        each = []
        for label in labels:
            middle, half = float(weights[at]), Z * float(np.sqrt(covariance[at, at]))
            each.append(Odds(label, exp(middle), Interval(exp(middle - half), exp(middle + half))))
            at += 1
        found[name] = tuple(each)
    return found
