"""Makes `regressions.json` beside it: logistic regressions by scikit-learn, and not by ours.

    .venv/bin/python tests/data/feedback/make_regressions.py

The examples are drawn here and in the test by the same seeds; some have more values than examples, some are separable.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CASES = (
    # seed, examples, values, how far the kinds are apart, strength (C)
    (1, 40, 3, 1.0, 1.0),
    (2, 60, 5, 0.3, 0.01),
    (3, 30, 90, 0.5, 0.1),
    (4, 200, 20, 0.1, 10.0),
    (5, 50, 4, 6.0, 1.0),
    (6, 25, 480, 0.2, 0.03),
)


def examples(seed: int, n: int, values: int, apart: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """float64[n, values] and bool[n]; a third are true."""
    chance = np.random.default_rng(seed)
    labels = np.arange(n) % 3 == 0
    scale = np.exp(chance.normal(size=values))
    return (chance.normal(size=(n, values)) + apart * labels[:, None]) * scale + chance.normal(size=values), labels


def main() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found = []
    for seed, n, values, apart, strength in CASES:
        data, labels = examples(seed, n, values, apart)
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-12, max_iter=10_000)
        )
        model.fit(data, labels)
        found.append({"seed": seed, "logits": [round(float(z), 9) for z in model.decision_function(data)]})
    text = json.dumps(found).replace("}, {", "},\n{")
    Path(__file__).with_name("regressions.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
