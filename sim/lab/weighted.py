"""How sure a weighted count is: rates and shares of things that were drawn more often than they are, and weighted back.

Conventions
-----------
- A weight says for how much one draw stands: how likely the thing is, over how likely it was to be drawn.
- ``sizes`` are what each draw that had an event brings to a sum: its weight times its events. Draws without any event
  may be left out. The sum is that of independent draws, most of which bring nothing: about Poisson, of unequal sizes.
- ``heaviest`` is the most that one draw may bring. What has not been seen may be of that size: without any event the
  upper bound is that of no event of that size, never 0.
- A chain is told by its links: how much of what came to each link came through. Its upper bound also holds where no
  draw came to its end: it is the largest product of links that, all together, what was seen does not speak against.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from sim.lab.intervals import CONFIDENCE, RESAMPLES, Interval, Numbers

_STEPS = 400
_SMALLEST = 1e-300


def effective(weights: Numbers) -> float:
    """How many draws of one weight would tell as much (Kish 1965): ``sum(w)**2 / sum(w**2)``; 0 of none."""
    of = np.asarray(weights, np.float64)
    squares = float(np.sum(of * of))
    return float(np.sum(of)) ** 2 / squares if squares else 0.0


def weighted_rate(
    sizes: Numbers, exposure: float, heaviest: float, confidence: float = CONFIDENCE, *, tail: float | None = None
) -> Interval:
    """The interval of ``sum(sizes) / exposure`` by gamma distributions (Fay and Feuer 1997, equations 7 and 8).

    With all sizes 1 and ``heaviest`` 1 it is Garwood's. `tail` is what each side may miss, in place of half of what is
    left of the confidence. Raises ValueError.
    """
    of = np.asarray(sizes, np.float64)
    if of.ndim != 1 or np.any(of < 0) or not np.all(np.isfinite(of)):
        raise ValueError("sizes are a row of finite numbers, none under 0")
    if not exposure > 0 or not math.isfinite(exposure) or not 0 <= heaviest < math.inf:
        raise ValueError(f"exposure must be above 0 and the heaviest draw finite, not {exposure} and {heaviest}")
    if len(of) and float(np.max(of)) > heaviest * (1 + 1e-9):
        raise ValueError(f"a draw brings {float(np.max(of)):g}, more than the heaviest, {heaviest:g}")
    each = (1 - confidence) / 2 if tail is None else tail
    total, spread = float(np.sum(of)), float(np.sum(of * of))
    low = _matched(each, total, spread) if total else 0.0
    high = _matched(1 - each, total + heaviest, spread + heaviest * heaviest) if total + heaviest else 0.0
    return Interval(low / exposure, high / exposure)


def weighted_share(held: Sequence[bool], weights: Numbers, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's interval of the share of the weights that is held, for as many draws as are `effective`."""
    of, through = np.asarray(weights, np.float64), np.asarray(held, bool)
    trials = effective(of)
    if not trials:
        return Interval(0.0, 1.0)
    share = float(np.sum(of[through]) / np.sum(of))
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    shrink = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / shrink
    half = z / shrink * math.sqrt(max(0.0, share * (1 - share) / trials + z * z / (4 * trials * trials)))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Interval(low if through.any() else 0.0, 1.0 if through.all() else high)


def chained(
    depths: Sequence[int],
    weights: Numbers,
    exposure: float,
    heaviest: float,
    links: int,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The interval of how often, per unit of exposure, a chain of so many links comes to its end.

    depths: of each draw how many links held. The lower bound is that of what came to the end. For the upper, draws that
    may have gone unseen are added to every link, as many to each, until that is too unlikely (`_against`).
    """
    of, deep = np.asarray(weights, np.float64), np.asarray(depths, np.int64)
    side = (1 - confidence) / 2
    ended = of[deep >= links]
    low = weighted_rate(ended, exposure, heaviest, tail=side).low
    if links == 1:
        return Interval(low, weighted_rate(ended, exposure, heaviest, tail=side).high)
    # Of the first link a rate: in draws of one size, as Fay and Feuer's upper bound has them, one unseen among them.
    first = of[deep >= 1]
    total, spread = float(np.sum(first)) + heaviest, float(np.sum(first * first)) + heaviest * heaviest
    size = spread / total if total else 0.0
    woke = total / size - 1 if total else 0.0
    came = [effective(of[deep >= link]) for link in range(1, links)]
    held = [
        n * float(np.sum(of[deep > link]) / np.sum(of[deep >= link])) if n else 0.0 for link, n in enumerate(came, 1)
    ]
    under, over, most = 0.0, 1.0, -math.log(side)
    while _against(over, woke, held, came) < most:
        under, over = over, 2 * over
    for _ in range(50):
        added = (under + over) / 2
        under, over = (added, over) if _against(added, woke, held, came) < most else (under, added)
    high = size * (woke + over) * math.prod((x + over) / (n + over) for x, n in zip(held, came, strict=True))
    # What was seen is never above its bound.
    return Interval(low, max(high, float(np.sum(ended))) / exposure)


def _against(added: float, woke: float, held: Sequence[float], came: Sequence[float]) -> float:
    """How much speaks against a chain in which so many more came through every link.

    How much less likely what was seen is, by its logarithm: of all chains with as large a product the least, as adding
    as much to each link is how the product grows fastest against so much (a likelihood ratio, Madansky 1965). As of a
    single link without an event, it may be minus the logarithm of what the bound may miss, where half the square of a
    normal quantile would do for many events; tests see that it covers.
    """
    links = zip([woke, *held], [math.inf, *came], strict=True)
    return sum(_grown(n, added) - _grown(x, added) for x, n in links)


def _grown(count: float, added: float) -> float:
    """``count * log(1 + added / count)``, also where it counts nothing, or without end."""
    if math.isinf(count):
        return added
    return count * math.log1p(added / count) if count > 0 else 0.0


def stratified_bootstrap(
    parts: Sequence[Numbers],
    totals: Numbers,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval:
    """Percentile interval of ``sum(totals * means of the parts)``, each part's draws resampled apart from the others.

    For amounts of which most draws have some; of rare events it does not say what was not seen. Raises ValueError for a
    part without a draw.
    """
    if not parts or any(not len(part) for part in parts):
        raise ValueError("there must be parts, and draws in each of them")
    random = np.random.default_rng(seed)
    found = np.zeros(resamples)
    for part, total in zip(parts, totals, strict=True):
        of = np.asarray(part, np.float64)
        # How often each draw is drawn again: all that a mean needs.
        times = random.multinomial(len(of), np.full(len(of), 1 / len(of)), size=resamples)
        found += float(total) * (times @ of) / len(of)
    tail = 50 * (1 - confidence)
    low, high = np.percentile(found, [tail, 100 - tail])
    return Interval(float(low), float(high))


def gamma_quantile(share: float, shape: float) -> float:
    """Where the gamma distribution of this shape and scale 1 has this share below it. Raises ValueError."""
    if not 0 < share < 1 or not shape > 0:
        raise ValueError(f"a share between 0 and 1 and a shape above 0, not {share} and {shape}")
    low, high = 0.0, shape + 10 * math.sqrt(shape) + 40
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _gamma_below(shape, middle) < share else (low, middle)
    return (low + high) / 2


def _matched(share: float, mean: float, variance: float) -> float:
    """The quantile of the gamma distribution with this mean and variance."""
    return variance / mean * gamma_quantile(share, mean * mean / variance)


def _gamma_below(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function: by its series, or above the mean by its continued fraction."""
    if x <= 0:
        return 0.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        at = shape
        while term > total * 1e-16:
            at += 1
            term *= x / at
            total += term
        return min(1.0, front * total)
    b = x + 1 - shape
    c, d = 1 / _SMALLEST, 1 / b
    fraction = d
    for n in range(1, _STEPS * 50):
        a = -n * (n - shape)
        b += 2
        d = a * d + b
        d = 1 / (d if abs(d) > _SMALLEST else _SMALLEST)
        c = b + a / c
        c = c if abs(c) > _SMALLEST else _SMALLEST
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return max(0.0, 1 - front * fraction)
