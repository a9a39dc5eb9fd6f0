"""How sure a count is: intervals of shares, of rates, and of differences between systems on the same sound.

Conventions
-----------
- An interval is ``Interval(low, high)``, both inclusive; ``confidence`` is the coverage it promises, 0 < c < 1.
- A share is ``hits`` of ``trials``, of which each is a hit or not, independent of the others.
- A rate is ``events`` in an ``exposure`` (hours, words, device-days), with events that come at random (Poisson).
- Of nothing nothing is known: no trials give (0, 1), no exposure gives (0, inf). No event is never a rate of 0 alone:
  its upper bound stands beside it.
- Bootstrap intervals resample whole units (clips), and both systems of a comparison by the same draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = Sequence[float] | NDArray[Any]
"""One a unit."""

CONFIDENCE = 0.95
"""What intervals promise where nothing else is said."""

RESAMPLES = 2000
"""Draws of a bootstrap."""

_AT_ONCE = 4_000_000
"""Indices that are drawn at a time."""


class Interval(NamedTuple):
    """From `low` to `high`, both inclusive."""

    low: float
    high: float


def validate(count: int, size: float, confidence: float, *, at_most: bool) -> None:
    """Raise ValueError unless this is a count, of trials (`at_most`) or in an exposure, and a confidence."""
    if count < 0 or count != int(count):
        raise ValueError(f"a count is a whole number of 0 or more, not {count}")
    if not math.isfinite(size) or size < 0:
        raise ValueError(f"trials or exposure must be finite and not negative, not {size}")
    if at_most and count > size:
        raise ValueError(f"{count} of {size:g} is no share; there cannot be more hits than trials")
    if not at_most and count and not size:
        raise ValueError(f"{count} events in no exposure are no rate")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not at {confidence}")


def wilson(hits: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval of a share (Wilson 1927; Brown, Cai and DasGupta 2001, equation 4). Raises ValueError."""
    validate(hits, trials, confidence, at_most=True)
    if not trials:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, shrink = hits / trials, 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # Rounding must not put the bound of "none" or "all" beside it.
    return Interval(0.0 if hits == 0 else middle - half, 1.0 if hits == trials else middle + half)


def garwood(events: int, exposure: float, confidence: float = CONFIDENCE) -> Interval:
    """The exact interval of a Poisson rate, in events per unit of `exposure` (Garwood 1936). Raises ValueError.

    Conservative: it covers at least as often as it promises, for few events noticeably more often.
    """
    validate(events, exposure, confidence, at_most=False)
    if not exposure:
        return Interval(0.0, math.inf)
    tail = (1 - confidence) / 2
    low = _mean_at(lambda mean: 1 - _poisson_up_to(events - 1, mean), tail, events) if events else 0.0
    high = _mean_at(lambda mean: -_poisson_up_to(events, mean), -tail, events)
    return Interval(low / exposure, high / exposure)


def _poisson_up_to(events: int, mean: float) -> float:
    """The probability of at most so many events where `mean` are expected."""
    if events < 0 or mean <= 0:
        return 0.0 if events < 0 else 1.0
    # Terms further than this below the mean are nothing beside those that are summed.
    first = max(0, min(events, int(mean)) - int(60 + 12 * math.sqrt(mean)))
    k = np.arange(first, events + 1)
    logs = k * math.log(mean) - mean - _log_factorials(events)[first:]
    return min(1.0, float(np.sum(np.exp(logs))))


@lru_cache(maxsize=8)
def _log_factorials(n: int) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1, dtype=np.float64)))])


def _mean_at(rising: Callable[[float], float], target: float, events: int) -> float:
    """Where a rising function of the mean reaches `target`, by halving."""
    low, high = 0.0, events + 10 * math.sqrt(events + 1) + 20
    while rising(high) < target:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return (low + high) / 2


def bootstrap(
    numerators: Numbers,
    denominators: Numbers,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval:
    """Percentile interval of sum(numerators) / sum(denominators) over units drawn with replacement (Efron 1979).

    Units are the same positions of both, for instance clips with their false wakes and hours; draws in which the
    denominators sum to 0 do not count. Raises ValueError where there is no unit, or none that weighs anything.
    """
    top, bottom = _units(numerators, denominators)
    return _percentiles(_ratios(top[None], bottom, seed, resamples)[:, 0], confidence)


def paired_bootstrap(
    one: Numbers,
    other: Numbers,
    denominators: Numbers,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval:
    """The interval of ``sum(one) / sum(d) - sum(other) / sum(d)``, both systems on the same draws of units.

    What makes a unit hard is hard for both, and falls out of the difference. Raises ValueError as `bootstrap` does.
    """
    first, bottom = _units(one, denominators)
    second, _ = _units(other, denominators)
    ratios = _ratios(np.stack([first, second]), bottom, seed, resamples)
    return _percentiles(ratios[:, 0] - ratios[:, 1], confidence)


def _units(numerators: Numbers, denominators: Numbers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    top, bottom = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
    if top.ndim != 1 or top.shape != bottom.shape:
        raise ValueError(f"one number a unit on both sides, not {top.shape} and {bottom.shape}")
    if not len(bottom) or not np.all(np.isfinite(top)) or np.any(bottom < 0) or not 0 < bottom.sum() < math.inf:
        raise ValueError("there must be units with finite numbers, and their denominators must sum to more than 0")
    return top, bottom


def _ratios(tops: NDArray[np.float64], bottom: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """float64[r, systems], one row a draw."""
    random, n, found = np.random.default_rng(seed), len(bottom), []
    step = max(1, _AT_ONCE // n)
    for first in range(0, resamples, step):
        drawn = random.integers(n, size=(min(step, resamples - first), n))
        below = bottom[drawn].sum(axis=1)
        kept = below > 0
        found.append(np.stack([top[drawn].sum(axis=1)[kept] / below[kept] for top in tops], axis=1))
    return np.concatenate(found)


def _percentiles(values: NDArray[np.float64], confidence: float) -> Interval:
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not at {confidence}")
    tail = 50 * (1 - confidence)
    low, high = np.percentile(values, [tail, 100 - tail])
    return Interval(float(low), float(high))
