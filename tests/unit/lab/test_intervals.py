from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.lab.intervals import bootstrap, garwood, paired_bootstrap, wilson

EXPECTED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data" / "lab" / "intervals.json").read_text(encoding="utf-8")
)
"""Made by the script beside it, with SciPy's formulas."""

DRAWS = 2000


@pytest.mark.parametrize(("k", "exposure", "confidence", "low", "high"), EXPECTED["garwood"])
def test_garwood_is_what_the_quantiles_of_chi_squared_say(
    k: int, exposure: float, confidence: float, low: float, high: float
) -> None:
    assert garwood(k, exposure, confidence) == pytest.approx((low, high), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("k", "n", "confidence", "low", "high"), EXPECTED["wilson"])
def test_wilson_is_what_scipy_says(k: int, n: int, confidence: float, low: float, high: float) -> None:
    assert wilson(k, n, confidence) == pytest.approx((low, high), rel=1e-9, abs=1e-12)


def test_no_event_has_an_upper_bound_and_nothing_tried_says_nothing() -> None:
    low, high = garwood(0, 10.0)
    assert low == 0.0
    assert high == pytest.approx(-math.log(0.025) / 10)
    assert garwood(0, 0.0) == (0.0, math.inf)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 12).low == 0.0
    assert wilson(12, 12).high == 1.0


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: wilson(3, 2), "there cannot be more hits than trials"),
        (lambda: wilson(-1, 2), "a whole number of 0 or more"),
        (lambda: garwood(1, 0.0), "in no exposure"),
        (lambda: garwood(1, math.inf), "finite"),
        (lambda: garwood(1, 1.0, 1.0), "between 0 and 1"),
        (lambda: bootstrap([1.0], [1.0], 0, 0.0), "between 0 and 1"),
        (lambda: bootstrap([], [], 0), "there must be units"),
        (lambda: bootstrap([1.0], [0.0], 0), "more than 0"),
        (lambda: bootstrap([1.0, 2.0], [1.0], 0), "one number a unit"),
    ],
)
def test_what_is_no_count_is_refused(call: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        call()


@pytest.mark.parametrize(("n", "share"), [(40, 0.1), (100, 0.3), (315, 0.05), (1000, 0.5)])
def test_95_percent_of_wilson_cover_93_to_97(n: int, share: float) -> None:
    drawn = np.random.default_rng(n).binomial(n, share, DRAWS)
    intervals = {k: wilson(k, n) for k in set(drawn.tolist())}
    covered = np.mean([intervals[k].low <= share <= intervals[k].high for k in drawn.tolist()])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("mean", [0.5, 2.0, 8.0, 30.0, 120.0])
def test_garwood_covers_at_least_what_it_promises(mean: float) -> None:
    """It is conservative by construction: 2,000 draws may miss 95 % by their own noise alone (two standard errors)."""
    drawn = np.random.default_rng(int(10 * mean)).poisson(mean, DRAWS)
    intervals = {k: garwood(k, 1.0) for k in set(drawn.tolist())}
    covered = np.mean([intervals[k].low <= mean <= intervals[k].high for k in drawn.tolist()])
    assert covered >= 0.95 - 2 * math.sqrt(0.95 * 0.05 / DRAWS)
    if mean >= 30:
        assert covered <= 0.97


def test_95_percent_of_paired_bootstraps_cover_93_to_97() -> None:
    """Two systems on 150 clips: what one misses the other mostly misses too."""
    random = np.random.default_rng(3)
    covered = 0
    for draw in range(DRAWS):
        hard = random.random(150)
        one = (hard + random.normal(0, 0.15, 150) > 0.75).astype(float)
        other = (hard + random.normal(0, 0.15, 150) > 0.65).astype(float)
        low, high = paired_bootstrap(one, other, np.ones(150), draw, resamples=400)
        covered += low <= _TRUE_DIFFERENCE <= high
    assert 0.93 <= covered / DRAWS <= 0.97


def _share_above(bar: float) -> float:
    at = (np.arange(200_000) + 0.5) / 200_000
    return float(np.mean([0.5 * (1 + math.erf((x - bar) / 0.15 / math.sqrt(2))) for x in at]))


_TRUE_DIFFERENCE = _share_above(0.75) - _share_above(0.65)


def test_95_percent_of_bootstrapped_rates_cover_93_to_97() -> None:
    """False wakes of 200 clips that are not equally long, at 2 an hour."""
    random = np.random.default_rng(5)
    covered = 0
    for draw in range(DRAWS):
        hours = random.uniform(0.02, 0.2, 200)
        low, high = bootstrap(random.poisson(2 * hours), hours, draw, resamples=400)
        covered += low <= 2.0 <= high
    assert 0.93 <= covered / DRAWS <= 0.97


def test_pairing_makes_a_difference_surer_and_the_seed_decides_the_draw() -> None:
    random = np.random.default_rng(1)
    hard = random.random(400)
    one, other, clips = (hard > 0.5).astype(float), (hard > 0.45).astype(float), np.ones(400)
    low, high = paired_bootstrap(one, other, clips, 7)
    apart = paired_bootstrap(one, random.permutation(other), clips, 7)
    assert high - low < (apart.high - apart.low) / 2
    assert paired_bootstrap(one, other, clips, 7) == (low, high)
    hours = random.uniform(1, 2, 400)
    assert paired_bootstrap(one, other, hours, 7) != paired_bootstrap(one, other, hours, 8)
    assert paired_bootstrap(one, one, clips, 7) == (0.0, 0.0)
