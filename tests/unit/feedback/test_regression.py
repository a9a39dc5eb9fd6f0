"""The arithmetic of what is learned: against scikit-learn, and against what must hold of any interval."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sim.review.feedback.intervals import paired, share
from sim.review.feedback.regression import fit, log_loss
from tests.data.feedback.make_regressions import CASES, examples

EXPECTED = {
    case["seed"]: case["logits"]
    for case in json.loads((Path(__file__).parents[2] / "data" / "feedback" / "regressions.json").read_text())
}
"""Made by the script beside it, with scikit-learn."""


@pytest.mark.parametrize(("seed", "n", "values", "apart", "strength"), CASES)
def test_it_is_what_scikit_learn_finds(seed: int, n: int, values: int, apart: float, strength: float) -> None:
    data, labels = examples(seed, n, values, apart)
    found = fit(data, labels, strength).logits(data)
    np.testing.assert_allclose(found, EXPECTED[seed], atol=2e-6)


def test_a_value_that_never_changes_has_no_say() -> None:
    data, labels = examples(1, 40, 3, 1.0)
    constant = np.column_stack([data, np.full(len(data), 7.0)])
    found = fit(constant, labels, 1.0)
    assert found.weights[3] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found.logits(constant), EXPECTED[1], atol=2e-6)


@pytest.mark.parametrize(
    ("values", "labels", "strength", "told"),
    [
        (np.zeros((3, 2)), np.array([True, True, True]), 1.0, "both kinds"),
        (np.zeros((3, 2)), np.array([True, False]), 1.0, "not"),
        (np.full((2, 1), np.nan), np.array([True, False]), 1.0, "finite"),
        (np.zeros((2, 1)), np.array([True, False]), 0.0, "above 0"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    values: np.ndarray, labels: np.ndarray, strength: float, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        fit(values, labels, strength)


def test_a_sure_and_right_logit_costs_nothing_and_a_sure_and_wrong_one_much() -> None:
    labels = np.array([True, False])
    assert log_loss(np.array([50.0, -50.0]), labels) < 1e-20
    assert log_loss(np.array([-50.0, 50.0]), labels) == pytest.approx(50)


def test_of_the_same_clips_a_difference_has_an_interval_around_it() -> None:
    assert paired(10, 0, 0, 10)[0] == 0
    difference, low, high = paired(2, 20, 1, 30)
    assert difference == pytest.approx(19 / 53)
    assert 0 < low < difference < high < 1
    other, less, more = paired(2, 1, 20, 30)
    assert (other, less, more) == pytest.approx((-difference, -high, -low))
    assert paired(0, 0, 0, 0) == (0.0, -1.0, 1.0)


def test_the_interval_of_a_paired_difference_holds_what_it_promises() -> None:
    chances = np.array([0.3, 0.25, 0.1, 0.35])
    true = chances[1] - chances[2]
    draws = np.random.default_rng(5).multinomial(60, chances, size=2000)
    intervals = [paired(*map(int, draw))[1:] for draw in draws]
    held = np.mean([low <= true <= high for low, high in intervals])
    assert 0.93 <= held <= 0.99


def test_a_share_says_its_counts_and_its_interval() -> None:
    assert str(share(45, 66)) == "45 of 66 (56 to 78 %)"
    assert share(0, 0).facts() == {"count": 0, "of": 0, "low": 0.0, "high": 1.0}
