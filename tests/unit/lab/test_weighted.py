"""Weighted counts: what they are without weights, and how often their intervals cover the truth."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.lab.intervals import garwood, wilson
from sim.lab.weighted import chained, effective, gamma_quantile, stratified_bootstrap, weighted_rate, weighted_share

EXPECTED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data" / "lab" / "intervals.json").read_text(encoding="utf-8")
)
DRAWS = 2000
NOISE = 2 * math.sqrt(0.95 * 0.05 / DRAWS)
"""By how much 2,000 draws may miss 95 % by themselves (two standard errors)."""


@pytest.mark.parametrize(("share", "shape", "at"), EXPECTED["gamma"])
def test_quantiles_of_gamma_distributions_are_those_of_scipy(share: float, shape: float, at: float) -> None:
    assert gamma_quantile(share, shape) == pytest.approx(at, rel=1e-9)


@pytest.mark.parametrize("events", [0, 1, 7, 120])
def test_without_weights_a_rate_is_garwoods_and_a_share_wilsons(events: int) -> None:
    assert weighted_rate([1.0] * events, 10.0, 1.0) == pytest.approx(garwood(events, 10.0), rel=1e-9)
    held = [True] * events + [False] * 40
    assert weighted_share(held, [0.25] * len(held)) == pytest.approx(wilson(events, len(held)), rel=1e-9)


def test_nothing_seen_is_bounded_by_the_heaviest_draw_and_never_nothing() -> None:
    assert tuple(weighted_rate([], 2.0, 0.5)) == pytest.approx((0.0, -math.log(0.025) * 0.5 / 2))
    low, high = chained([1, 1, 1, 0], [0.1] * 4, 1.0, 0.1, 5)
    assert low == 0
    assert 0 < high < 2
    assert weighted_share([], []) == (0.0, 1.0)
    assert effective([]) == 0
    assert effective([2.0, 2.0, 2.0]) == pytest.approx(3)
    assert effective([1000.0, 1.0, 1.0]) == pytest.approx(1, abs=0.01)


def test_what_was_seen_of_a_chain_is_within_its_bounds() -> None:
    depths = [3] * 6 + [2] * 5 + [1] * 20 + [0] * 400
    sizes = [1e-6] * 6 + [1e-4] * 5 + [0.01] * 20 + [0.02] * 400
    low, high = chained(depths, sizes, 1.0, 0.05, 3)
    assert 1e-6 < low < 6e-6 < high < 0.2


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: weighted_rate([-1.0], 1.0, 1.0), "none under 0"),
        (lambda: weighted_rate([1.0], 0.0, 1.0), "exposure must be above 0"),
        (lambda: weighted_rate([2.0], 1.0, 1.0), "more than the heaviest"),
        (lambda: gamma_quantile(0.5, 0.0), "a shape above 0"),
        (lambda: stratified_bootstrap([[1.0], []], [1.0, 1.0], 0), "draws in each of them"),
    ],
)
def test_what_is_no_weighted_count_is_refused(call: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        call()


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_95_percent_of_weighted_rates_cover_the_truth(scale: float) -> None:
    """Three kinds of draws: many that weigh little, few that weigh much, as a tilt leaves them."""
    weights, means = np.array([0.02, 0.3, 2.5]), scale * np.array([30.0, 4.0, 0.3])
    counts = np.random.default_rng(round(10 * scale)).poisson(means, (DRAWS, 3))
    covered = 0
    for drawn in counts:
        low, high = weighted_rate(np.repeat(weights, drawn), 1.0, 2.5)
        covered += low <= float(weights @ means) <= high
    assert covered / DRAWS >= 0.95 - NOISE


def by_bonferroni(depths: list[int], weights: NDArray[np.float64], heaviest: float, links: int) -> float:
    """The upper bound of a chain as the product of those of its links, each of so much confidence that all hold."""
    deep, each = np.array(depths), 0.025 / links
    high = weighted_rate(weights[deep >= 1], 1.0, heaviest, tail=each).high
    for link in range(1, links):
        came = deep >= link
        high *= weighted_share((deep[came] > link).tolist(), weights[came], 1 - 2 * each).high
    return high


@pytest.mark.parametrize(
    ("near", "held_near", "held_far", "tighter"),
    [
        (0.1, [0.4, 0.2, 0.1], [0.01, 0.02, 0.02], 1.5),
        (0.02, [0.5, 0.3, 0.2, 0.3], [0.02, 0.01, 0.05, 0.1], 4.0),
    ],
)
def test_95_percent_of_chains_cover_the_truth_also_where_their_end_is_hardly_ever_seen(
    near: float, held_near: list[float], held_far: list[float], tighter: float
) -> None:
    """Draws as they are and draws in a part of what there is, where nearly all comes about; weighted by both."""
    plain, links = 150, len(held_near)
    truth = float(near * np.prod(held_near) + (1 - near) * np.prod(held_far))
    of_near = 0.5 + 0.5 * near
    random = np.random.default_rng(links)
    below, above, narrower = 0, 0, []
    for draw in range(DRAWS):
        is_near = random.random(2 * plain) < of_near
        weights = np.where(is_near, near / of_near, (1 - near) / (1 - of_near)) / (2 * plain)
        held = random.random((2 * plain, links)) < np.where(is_near[:, None], held_near, held_far)
        depths = np.sum(np.cumprod(held, axis=1), axis=1).tolist()
        low, high = chained(depths, weights, 1.0, 1 / plain, links)
        below += high < truth
        above += low > truth
        if draw < 100:
            narrower.append(by_bonferroni(depths, weights, 1 / plain, links) / high)
    assert max(below, above) / DRAWS <= 0.025 + NOISE / 2
    assert float(np.median(narrower)) > tighter


def test_95_percent_of_stratified_bootstraps_cover_93_to_97() -> None:
    """Seconds uploaded: of many stretches little, of requests always some."""
    random = np.random.default_rng(9)
    truth = 20 * 0.6 * 4 + 5 * 6
    covered = 0
    for draw in range(DRAWS):
        talk = (random.random(80) < 0.6) * random.gamma(4, 1, 80)
        requests = random.normal(6, 1, 30)
        low, high = stratified_bootstrap([talk, requests], [20.0, 5.0], draw, resamples=200)
        covered += low <= truth <= high
    assert 0.93 <= covered / DRAWS <= 0.97
