from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from sim.lab.detection import Point, curve, delays, evaluate, rates, wished_threshold

POINTS = [
    Point(0.1, 1, 40, 60, 10.0),
    Point(0.3, 2, 40, 12, 10.0),
    Point(0.5, 3, 40, 4, 10.0),
    Point(0.7, 6, 40, 1, 10.0),
    Point(0.9, 20, 40, 0, 10.0),
]


def test_rates_come_with_their_intervals() -> None:
    at = rates(POINTS[2])
    assert (at.miss_rate, at.false_per_hour) == (0.075, 0.4)
    assert at.miss_interval == pytest.approx((0.02585, 0.19865), abs=1e-4)  # Wilson, 3 of 40
    assert at.false_interval == pytest.approx((0.10899, 1.02416), abs=1e-4)  # Garwood, 4 in 10


def test_silence_is_not_zero_without_its_bound() -> None:
    at = rates(POINTS[-1])
    assert (at.false_per_hour, at.false_interval.low) == (0, 0)
    assert at.false_interval.high == pytest.approx(-math.log(0.025) / 10)


def test_what_was_not_tried_is_not_known() -> None:
    at = rates(Point(0.5, 0, 0, 0, 0.0))
    assert (at.miss_rate, at.false_per_hour) == (None, None)
    assert (at.miss_interval, at.false_interval) == ((0, 1), (0, math.inf))


def test_the_threshold_for_a_wished_for_rate_has_an_interval() -> None:
    wished = wished_threshold(POINTS, 0.5)
    # 12 in 10 h are at least 0.62 an hour; 4 are at most 1.02, 1 is at most 0.557, none at most 0.37.
    assert (wished.low, wished.threshold, wished.high) == (0.5, 0.5, 0.9)
    unshown = wished_threshold(POINTS, 0.2)
    assert (unshown.threshold, unshown.high) == (0.7, None)
    assert wished_threshold([Point(0.5, 0, 3, 0, 0.0)], 1.0).threshold is None


def test_a_rate_that_rises_again_does_not_count_as_kept() -> None:
    risen = [POINTS[0], replace(POINTS[1], false_wakes=3), replace(POINTS[2], false_wakes=7), *POINTS[3:]]
    assert wished_threshold(risen, 0.5).threshold == 0.7


def test_delays_are_quantiles_in_milliseconds() -> None:
    found = delays([-1600, 0, 1600, 3200, 16_000])
    assert found is not None
    assert (found.words, found.median_ms, found.p5_ms, found.p95_ms) == (5, 100.0, -80.0, 840.0)
    assert delays([]) is None


def test_evaluate_says_all_of_it() -> None:
    found = evaluate(POINTS, POINTS[2], [800], 0.5)
    assert found.at == found.curve[2] == curve(POINTS)[2]
    assert found.wished == wished_threshold(POINTS, 0.5)
    assert found.delay is not None
    assert found.delay.median_ms == 50


@pytest.mark.parametrize(
    ("points", "told"),
    [
        ([], "at least one point"),
        (POINTS[::-1], "thresholds must rise"),
        ([POINTS[0], replace(POINTS[1], words=41)], "the same words and hours"),
        ([replace(POINTS[0], misses=41)], "counts what cannot be"),
        ([replace(POINTS[0], threshold=0.0)], "above 0"),
    ],
)
def test_what_is_no_curve_is_refused(points: list[Point], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        curve(points)


def test_a_wish_must_be_a_rate() -> None:
    bad: Any = math.inf
    with pytest.raises(ValueError, match="finite"):
        wished_threshold(POINTS, bad)
