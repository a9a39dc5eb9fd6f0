"""Makes `intervals.json` beside it: expected intervals and matchings, from SciPy's formulas and not from ours.

    .venv/bin/python tests/data/lab/make_intervals.py

Garwood: half the chi-squared quantiles with 2k and 2k + 2 degrees of freedom. Wilson: scipy.stats.binomtest. Matchings:
the assignment problem (scipy.optimize.linear_sum_assignment), where a pair is worth more than any sum of distances.
Gamma: quantiles of distributions with scale 1 (scipy.stats.gamma).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest, chi2, gamma

CONFIDENCES = (0.9, 0.95, 0.99)
EVENTS = ((0, 1.0), (1, 24.0), (3, 0.5), (10, 10.5), (55, 132.55), (277, 88.37), (2500, 1000.0))
SHARES = ((0, 1), (1, 1), (0, 40), (5, 315), (20, 40), (39, 40), (40, 40), (120, 2000))
SHAPES = (0.05, 0.5, 1.0, 3.7, 25.0, 410.5, 9000.0)
LATE = 16_000


def garwood(k: int, exposure: float, confidence: float) -> list[float]:
    tail = (1 - confidence) / 2
    low = chi2.ppf(tail, 2 * k) / 2 if k else 0.0
    return [low / exposure, chi2.ppf(1 - tail, 2 * k + 2) / 2 / exposure]


def wilson(k: int, n: int, confidence: float) -> list[float]:
    found = binomtest(k, n).proportion_ci(confidence, method="wilson")
    return [float(found.low), float(found.high)]


def matching(seed: int) -> dict[str, Any]:
    """A stretch of words and wakes drawn at random, with the number of pairs and the sum of distances."""
    random = np.random.default_rng(seed)
    edges = np.sort(random.choice(np.arange(1, 40), size=2 * int(random.integers(1, 9)), replace=False)) * 2_000
    words = edges.reshape(-1, 2)
    wakes = np.sort(random.integers(0, 100_000, size=int(random.integers(0, 12))))
    far = np.abs(wakes[None, :] - words[:, 1:])
    may = (words[:, :1] <= wakes) & (wakes <= words[:, 1:] + LATE)
    rows, columns = linear_sum_assignment(np.where(may, far - 10_000_000, 0))
    kept = may[rows, columns]
    distance = int(far[rows, columns][kept].sum())
    return {"words": words.tolist(), "wakes": wakes.tolist(), "pairs": int(kept.sum()), "distance": distance}


def main() -> None:
    expected = {
        "garwood": [[k, x, c, *map(float, garwood(k, x, c))] for k, x in EVENTS for c in CONFIDENCES],
        "wilson": [[k, n, c, *wilson(k, n, c)] for k, n in SHARES for c in CONFIDENCES],
        "gamma": [[p, a, float(gamma.ppf(p, a))] for a in SHAPES for p in (0.025, 0.5, 0.995)],
        "matching": [matching(seed) for seed in range(60)],
    }
    text = json.dumps(expected).replace("], [", "],\n[").replace("}, {", "},\n{")
    Path(__file__).with_name("intervals.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
