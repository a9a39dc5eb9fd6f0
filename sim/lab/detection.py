"""How well a wake word is detected: misses, false wakes an hour, the curve between them, and the delay.

Conventions
-----------
- Events are counted, never frames: a wake is what the device's trigger makes of the scores, with its hysteresis,
  patience and refractory time (`wakeword.trigger`).
- A miss is a word that no wake answers (`sim.lab.matching`); the miss rate is misses / words, with Wilson's interval.
- A false wake answers no word; the rate is false wakes / hours of sound without the word, with Garwood's interval. Zero
  in h hours is a rate of at most -ln(0.025) / h = 3.69 / h, and is never given without that bound.
- A threshold's operating point is where scores of `threshold` and more wake. Points are in order of rising thresholds,
  where misses grow and false wakes mostly fall. Mostly: a higher threshold may split one long wake into two.
- The delay is from the end of the word (a sample) to the end of the hop that decided, and negative where the device
  decided before the word was over. It is known only of words whose end is labelled.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.lab.intervals import CONFIDENCE, Interval, garwood, wilson
from wakeword.sound import RATE

THRESHOLDS = (*tuple(round(step / 100, 2) for step in range(2, 100)), 0.995, 0.998, 0.999)
"""Where the curve has points unless others are asked for."""


@dataclass(frozen=True)
class Point:
    """What was counted at one threshold: `misses` of `words`, and `false_wakes` in `hours` without the word."""

    threshold: float
    misses: int
    words: int
    false_wakes: int
    hours: float


@dataclass(frozen=True)
class Rates:
    """An operating point as rates, each with its interval; None where there was nothing to count in."""

    threshold: float
    miss_rate: float | None
    miss_interval: Interval
    false_per_hour: float | None
    false_interval: Interval


@dataclass(frozen=True)
class Wished:
    """The threshold for a wished-for rate of false wakes.

    `threshold`: the lowest from which on the counted rate keeps to it; None where none does. The bounds come from
    inverting the interval of the rate: at `low` and above the true rate may keep to it, at `high` and above it does so,
    with the confidence that was asked for. None: not shown by this sound at any threshold of the curve.
    """

    per_hour: float
    threshold: float | None
    low: float | None
    high: float | None


def validate(points: Sequence[Point]) -> None:
    """Raise ValueError unless thresholds rise, counts are possible, and all points are of the same sound."""
    if not points:
        raise ValueError("a curve has at least one point")
    for one, other in itertools.pairwise(points):
        if other.threshold <= one.threshold:
            raise ValueError(f"thresholds must rise; {other.threshold} follows {one.threshold}")
        if (one.words, one.hours) != (other.words, other.hours):
            raise ValueError("all points of a curve must be of the same words and hours")
    for point in points:
        if not 0 < point.threshold <= 1:
            raise ValueError(f"a threshold lies above 0 and at most at 1, not at {point.threshold}")
        if not 0 <= point.misses <= point.words or point.false_wakes < 0 or not 0 <= point.hours < math.inf:
            raise ValueError(f"{point} counts what cannot be")


def rates(point: Point, confidence: float = CONFIDENCE) -> Rates:
    """A point as rates with their intervals. Raises ValueError."""
    validate([point])
    return Rates(
        point.threshold,
        point.misses / point.words if point.words else None,
        wilson(point.misses, point.words, confidence),
        point.false_wakes / point.hours if point.hours else None,
        garwood(point.false_wakes, point.hours, confidence),
    )


def curve(points: Sequence[Point], confidence: float = CONFIDENCE) -> list[Rates]:
    """The detection-error curve. Raises ValueError as `validate` does."""
    validate(points)
    return [rates(point, confidence) for point in points]


def wished_threshold(points: Sequence[Point], per_hour: float, confidence: float = CONFIDENCE) -> Wished:
    """The threshold at which no more than `per_hour` false wakes an hour come. Raises ValueError."""
    if not 0 <= per_hour < math.inf:
        raise ValueError(f"a rate is finite and not negative, not {per_hour}")
    found = curve(points, confidence)
    return Wished(
        per_hour,
        _from_here_on([(each.threshold, _known(each.false_per_hour) <= per_hour) for each in found]),
        _from_here_on([(each.threshold, each.false_interval.low <= per_hour) for each in found]),
        _from_here_on([(each.threshold, each.false_interval.high <= per_hour) for each in found]),
    )


def _known(rate: float | None) -> float:
    return math.inf if rate is None else rate


def _from_here_on(points: Sequence[tuple[float, bool]]) -> float | None:
    """The lowest threshold from which on it holds."""
    found = None
    for threshold, holds in reversed(points):
        if not holds:
            break
        found = threshold
    return found


@dataclass(frozen=True)
class Delays:
    """How long after their ends words were detected, in milliseconds, over `words` of them."""

    words: int
    median_ms: float
    p5_ms: float
    p95_ms: float


def delays(samples: Sequence[int]) -> Delays | None:
    """Quantiles of delays given in samples; None of none."""
    if not samples:
        return None
    p5, median, p95 = (float(each) for each in np.percentile(np.asarray(samples) * 1000 / RATE, [5, 50, 95]))
    return Delays(len(samples), round(median, 1), round(p5, 1), round(p95, 1))


@dataclass(frozen=True)
class Evaluation:
    """Everything that is said of one engine on one set of sound: at its threshold, over all, and for a wished rate."""

    at: Rates
    point: Point
    curve: tuple[Rates, ...]
    wished: Wished
    delay: Delays | None


def evaluate(
    points: Sequence[Point],
    at: Point,
    delay_samples: Sequence[int],
    per_hour: float,
    confidence: float = CONFIDENCE,
) -> Evaluation:
    """All metrics of one system. Raises ValueError as `validate` does."""
    return Evaluation(
        rates(at, confidence),
        at,
        tuple(curve(points, confidence)),
        wished_threshold(points, per_hour, confidence),
        delays(delay_samples),
    )
