"""Logistic regression with an L2 penalty, by Newton's method. Pure; the same bytes in, the same out.

The loss is that of scikit-learn's `LogisticRegression(C=strength)`: half the squared length of the weights, plus
`strength` times the sum of log(1 + exp(-z)) over the examples; the bias bears no penalty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_STEPS = 100
_ENOUGH = 1e-10
"""The largest slope that counts as none, for each unit of strength."""


@dataclass(frozen=True)
class Regression:
    """float64[d] weights of the values as they are, and the bias: the logit is ``values @ weights + bias``."""

    weights: Floats
    bias: float

    def logits(self, values: Floats) -> Floats:
        """float64[n, d] -> float64[n]."""
        return np.asarray(values @ self.weights + self.bias, np.float64)


def validate(values: Floats, labels: Bools) -> None:
    """Raise ValueError where these cannot be learned from: shapes, numbers, or one class alone."""
    if values.ndim != 2 or labels.shape != (len(values),):
        raise ValueError(f"values are float64[n, d] and labels bool[n], not {values.shape} and {labels.shape}")
    if not np.isfinite(values).all():
        raise ValueError("a value is not finite")
    if labels.all() or not labels.any():
        raise ValueError("there must be examples of both kinds")


def fit(values: Floats, labels: Bools, strength: float) -> Regression:
    """float64[n, d], bool[n] -> the one minimum of the loss on standardized values, told for the values as they are.

    `strength` (above 0): how much the examples count against the penalty. Raises ValueError; see `validate`.
    """
    validate(values, labels)
    if strength <= 0:
        raise ValueError(f"the strength must be above 0, not {strength}")
    mean, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    weights, bias = minimum((values - mean) / spread, labels, strength)
    weights = weights / spread
    return Regression(weights, float(bias - mean @ weights))


def minimum(values: Floats, labels: Bools, strength: float) -> tuple[Floats, float]:
    """Weights and bias of the least loss, of the values as they are.

    With fewer examples than values the weights lie in the examples' span, so they are looked for there: the penalty
    does not change with a rotation.
    """
    left, sizes, axes = np.linalg.svd(values, full_matrices=False)
    seen = np.column_stack([left * sizes, np.ones(len(values))])
    penalty = np.ones(seen.shape[1])
    penalty[-1] = 0.0
    signs = np.where(labels, 1.0, -1.0)
    at = np.zeros(seen.shape[1])
    loss = _loss(seen, signs, at, penalty, strength)
    for _ in range(_STEPS):
        chance = _sigmoid(seen @ at)
        slope = penalty * at + strength * (seen.T @ (chance - labels))
        if np.abs(slope).max() <= _ENOUGH * max(1.0, strength):
            break
        bend = strength * (seen.T * (chance * (1 - chance))) @ seen + np.diag(penalty + 1e-12)
        step = np.linalg.solve(bend, slope)
        size = 1.0
        while (new := _loss(seen, signs, at - size * step, penalty, strength)) > loss * (1 + 1e-14) and size > 1e-6:
            size /= 2
        at, loss = at - size * step, new
    return axes.T @ at[:-1], float(at[-1])


def _loss(seen: Floats, signs: Floats, at: Floats, penalty: Floats, strength: float) -> float:
    return float(0.5 * np.sum(penalty * at * at) + strength * np.sum(np.logaddexp(0.0, -signs * (seen @ at))))


def log_loss(logits: Floats, labels: Bools) -> float:
    """The mean of -log(the chance that was given to what is so)."""
    return float(np.logaddexp(0.0, np.where(labels, -logits, logits)).mean())


def _sigmoid(logits: Floats) -> Floats:
    small = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1.0, small) / (1 + small), np.float64)
