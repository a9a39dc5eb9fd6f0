"""From labelled wakes to a calibrated threshold and a second look. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.errors import FeedbackError
from sim.lab.intervals import garwood
from sim.review.feedback.examples import Example
from sim.review.feedback.intervals import Share, share
from sim.review.feedback.regression import Bools, Floats, fit, log_loss
from wakeword.second_look import FORMAT, Learned, sigmoid

STRENGTHS = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
LEAST = 5
"""Examples of each kind; from fewer nothing is learned."""
_STEP = 0.01


@dataclass(frozen=True)
class Threshold:
    """A wake threshold chosen on labelled wakes: which of them it would have kept, and how often it would wake falsely.

    `false_per_hour`: (rate, low, high), Garwood; None where it is not known how long was listened.
    """

    threshold: float
    kept_true: Share
    kept_false: Share
    false_per_hour: tuple[float, float, float] | None


@dataclass(frozen=True)
class Judged:
    """How the second look did on examples that each model had not seen (cross-validation by group)."""

    kept_true: Share
    kept_false: Share
    strength: float


def calibrate(
    peaks: Sequence[float], spoken: Sequence[bool], now: float, lose: float, hours: float | None = None
) -> Threshold:
    """The highest threshold, from the present one on, under which at most the share `lose` of the true wakes falls.

    Wakes that the present threshold never let through are in no clip, so it can only be raised. Raises FeedbackError.
    """
    labels = _labels(spoken)
    heights = np.asarray(peaks, np.float64)
    most = int(lose * labels.sum())
    steps = np.arange(round((1 - now) / _STEP) + 1) * _STEP + now
    fitting = [float(step) for step in steps if (heights[labels] < step - 1e-9).sum() <= most]
    chosen = round(max(fitting, default=now), 4)
    kept = heights >= chosen - 1e-9
    false = int((kept & ~labels).sum())
    rate = None if hours is None else (false / hours, *garwood(false, hours))
    return Threshold(
        chosen,
        share(int((kept & labels).sum()), int(labels.sum())),
        share(false, int((~labels).sum())),
        rate,
    )


def learn(
    examples: Sequence[Example], spoken: Sequence[bool], groups: Sequence[str], lose: float, about: dict[str, object]
) -> tuple[Learned, Judged]:
    """Fit the second look; `groups` (a home's day, a speaker) are never split in cross-validation.

    The strength is the one of the least loss on examples not seen, the threshold the highest that there lets at most
    the share `lose` of the true wakes fall. `about` goes into the manifest: the embedding's hash must be in it. Raises
    FeedbackError where there is too little to learn from, or clips of several words or models.
    """
    labels = _labels(spoken)
    words = sorted({(each.word, each.model) for each in examples})
    if len(words) > 1:
        names = ", ".join(f"{word} ({model[:8]})" for word, model in words)
        raise FeedbackError(f"these clips are wakes of several words or models: {names}; learn from one at a time")
    values = _values(examples)
    folds = _folds(groups)
    unseen = {strength: _unseen(values, labels, folds, strength) for strength in STRENGTHS}
    strength = min(STRENGTHS, key=lambda each: (round(log_loss(unseen[each], labels), 9), each))
    logits = unseen[strength]
    cut = _cut(logits[labels], int(lose * labels.sum()))
    fitted = fit(values, labels, strength)
    kept = logits >= cut
    judged = Judged(
        share(int((kept & labels).sum()), int(labels.sum())),
        share(int((kept & ~labels).sum()), int((~labels).sum())),
        strength,
    )
    manifest = {
        **about,
        "format": FORMAT,
        "word": words[0][0],
        "model": words[0][1],
        "true_wakes": int(labels.sum()),
        "false_wakes": int((~labels).sum()),
        "strength": strength,
    }
    # So that how many cores added it up, which shows in the last bits, does not show in the file.
    weights = np.round(fitted.weights.reshape(examples[0].embeddings.shape), 9)
    return Learned(weights, round(fitted.bias, 9), round(sigmoid(cut), 6), manifest), judged


def _labels(spoken: Sequence[bool]) -> Bools:
    labels = np.asarray(spoken, np.bool_)
    true, false = int(labels.sum()), int((~labels).sum())
    if min(true, false) < LEAST:
        raise FeedbackError(
            f"there are {true} true and {false} false wakes with labels, too few to learn from (at least {LEAST} of "
            "each); have more clips reviewed: more homes or days, or a policy that draws more of them"
        )
    return labels


def _values(examples: Sequence[Example]) -> Floats:
    return np.stack([each.embeddings.ravel() for each in examples]).astype(np.float64)


def _folds(groups: Sequence[str]) -> list[NDArray[np.intp]]:
    """Indices of the examples of each fold: five of them, or as many as there are groups."""
    names = sorted(set(groups))
    count = min(5, len(names))
    if count < 2:  # one group alone: every other example, which is the best that can be had
        return [np.arange(start, len(groups), 2) for start in range(2)]
    fold = {name: number % count for number, name in enumerate(names)}
    return [np.array([n for n, name in enumerate(groups) if fold[name] == k], np.intp) for k in range(count)]


def _unseen(values: Floats, labels: Bools, folds: Sequence[NDArray[np.intp]], strength: float) -> Floats:
    """The logit of each example by a model that has not seen its fold; without one class there, by its share alone."""
    logits = np.zeros(len(values))
    for fold in folds:
        rest = np.ones(len(values), np.bool_)
        rest[fold] = False
        seen = labels[rest]
        if seen.all() or not seen.any():
            continue
        logits[fold] = fit(values[rest], seen, strength).logits(values[fold])
    return logits


def _cut(true: Floats, lost: int) -> float:
    """A logit that lets `lost` of the true ones fall: half way between the last that falls and the first that stays."""
    ordered = np.sort(true)
    if lost == 0:
        return float(ordered[0] - 0.5)
    return float((ordered[lost - 1] + ordered[lost]) / 2)
