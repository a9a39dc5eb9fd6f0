"""Made kappas.json, once: ``pip install scikit-learn statsmodels``, then ``python make.py``.

Kappa is scikit-learn's `cohen_kappa_score`; its standard error is statsmodels' (`cohens_kappa`, Fleiss, Cohen and
Everitt 1969).
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa, to_table


def case(random: np.random.Generator, n: int, labels: int, agree: float, skew: float) -> dict[str, object]:
    """Two people who agree on a share of `n` things, and otherwise guess among `labels` labels."""
    weights = np.arange(1, labels + 1) ** skew
    first = random.choice(labels, n, p=weights / weights.sum())
    guess = random.choice(labels, n, p=weights / weights.sum())
    second = np.where(random.random(n) < agree, first, guess)
    table = to_table(np.column_stack([first, second]))[0]
    return {
        "first": first.tolist(),
        "second": second.tolist(),
        "kappa": float(cohen_kappa_score(first, second)),
        "standard_error": float(cohens_kappa(table).std_kappa),
    }


if __name__ == "__main__":
    random = np.random.default_rng(2019)
    sizes = [(20, 2, 0.5, 0.0), (50, 3, 0.7, 1.0), (100, 2, 0.0, 2.0), (200, 5, 0.9, 0.0), (400, 3, 0.3, -1.0)]
    made = {
        "made with": {name: version(name) for name in ("scikit-learn", "statsmodels")},
        "cases": [case(random, *size) for size in sizes],
    }
    Path(__file__).with_name("kappas.json").write_text(json.dumps(made) + "\n")
