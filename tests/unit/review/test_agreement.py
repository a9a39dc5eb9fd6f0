"""Cohen's kappa against stored values of scikit-learn, and where it is not defined."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.review.agreement import Agreement, cohen_kappa

DATA = Path(__file__).resolve().parents[2] / "data" / "agreement" / "kappas.json"
CASES = json.loads(DATA.read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"n={len(case['first'])}")
def test_it_is_that_of_the_reference(case: dict[str, list[int] | float]) -> None:
    first, second = case["first"], case["second"]
    assert isinstance(first, list)
    assert isinstance(second, list)
    found = cohen_kappa(list(zip(first, second, strict=True)))
    kappa, error = case["kappa"], case["standard_error"]
    assert isinstance(kappa, float)
    assert isinstance(error, float)
    assert found.kappa == pytest.approx(kappa, abs=1e-12)
    assert found.low == pytest.approx(max(-1.0, kappa - 1.959964 * error), abs=1e-9)
    assert found.high == pytest.approx(min(1.0, kappa + 1.959964 * error), abs=1e-9)


def test_where_there_is_nothing_to_compare() -> None:
    assert cohen_kappa([]) == Agreement(None, 0, None, None, None)
    assert cohen_kappa([("a", "a")] * 5) == Agreement(None, 5, None, None, 1.0)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_it_does_not_matter_who_is_first_nor_what_labels_are_called(pairs: list[tuple[int, int]]) -> None:
    found = cohen_kappa(pairs)
    turned = cohen_kappa([(f"label {b}", f"label {a}") for a, b in reversed(pairs)])
    assert (found.kappa is None) == (turned.kappa is None)
    if found.kappa is not None:
        assert turned.kappa == pytest.approx(found.kappa, abs=1e-9)
        assert -1 - 1e-9 <= found.kappa <= 1 + 1e-9
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.kappa + 1e-9
        assert found.high >= found.kappa - 1e-9
