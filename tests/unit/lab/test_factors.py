from __future__ import annotations

import numpy as np
import pytest

from sim.lab.factors import LEAST, deviance, fit, importance


def drawn(n: int, seed: int, weight: float = 1.5) -> tuple[list[dict[str, float | str]], list[bool]]:
    """Trials in which `level` and one voice matter, and `noise` does not."""
    rng = np.random.default_rng(seed)
    trials: list[dict[str, float | str]] = [
        {"noise": float(rng.normal()), "level": float(rng.normal(70, 5)), "voice": "abc"[int(rng.integers(3))]}
        for _ in range(n)
    ]
    margins = [weight * ((float(trial["level"]) - 70) / 5 + 2 * (trial["voice"] == "b") - 1) for trial in trials]
    return trials, [bool(rng.random() < 1 / (1 + np.exp(-margin))) for margin in margins]


def test_what_matters_comes_first_and_is_shown() -> None:
    found = importance(*drawn(250, 1), seed=1)
    assert found is not None
    assert [factor.name for factor in found] == ["level", "voice", "noise"]
    assert [factor.shown for factor in found] == [True, True, False]
    level, voice, noise = found
    assert level.odds[0].interval.low > 1.5
    assert noise.odds[0].interval.low < 1 < noise.odds[0].interval.high
    assert max(voice.odds, key=lambda each: each.ratio).of == "b"
    assert level.interval.low < level.share < level.interval.high


def test_what_does_not_matter_is_rarely_shown() -> None:
    shown = 0
    for seed in range(5):
        found = importance(*drawn(60, seed, weight=0.0), seed=seed)
        assert found is not None
        shown += sum(factor.shown for factor in found)
    assert shown <= 3  # 0.75 of 15 are expected


def test_a_fit_is_that_of_the_odds() -> None:
    """A yes or no alone has log odds that can be counted: 30 of 40 against 10 of 40."""
    x = np.repeat([1.0, 0.0], 4000)[:, None]
    y = np.concatenate([np.repeat([1.0, 0.0], [3000, 1000]), np.repeat([1.0, 0.0], [1000, 3000])])
    weights, covariance = fit(x, y)
    assert weights == pytest.approx([-np.log(3), 2 * np.log(3)], abs=0.01)
    assert covariance[1, 1] == pytest.approx(2 * (1 / 3000 + 1 / 1000), rel=0.02)
    assert deviance([x], y) < deviance([], y) == pytest.approx(2 * 8000 * np.log(2))


def test_trials_that_are_told_apart_wholly_have_finite_odds() -> None:
    trials: list[dict[str, float | str]] = [{"level": float(n)} for n in range(20)]
    found = importance(trials, [n >= 10 for n in range(20)], seed=1)
    assert found is not None
    assert 1 < found[0].odds[0].ratio < 1000


def test_of_too_few_nothing_is_said() -> None:
    trials, _ = drawn(30, 1)
    assert importance(trials, [True] * (LEAST - 1) + [False] * (31 - LEAST), seed=1) is None


def test_the_same_seed_gives_the_same() -> None:
    assert importance(*drawn(40, 3), seed=1) == importance(*drawn(40, 3), seed=1)
