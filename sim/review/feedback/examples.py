"""What is learned from: the wakes of reviewed clips, each as the embeddings up to its detection, and what it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.cloud.verifier import Opening, opening_of
from uplink.message import JSON
from wakeword.features import Features
from wakeword.frames import HOP
from wakeword.scorer import Scorer
from wakeword.second_look import BLIND, embeddings_before, hops_of
from wakeword.sound import RATE, Samples
from wakeword.span import detection_of

_SILENCE_HOPS = 25
"""Put before a clip, so that the score is not one of warming up."""
_AFTER = 600 * RATE // 1000
"""How long after the detection a score still rises."""


@dataclass(frozen=True)
class Example:
    """One wake: `embeddings` float32[windows, 96], and `peak`, how high its score went, as far as the clip tells."""

    clip: str
    word: str
    model: str
    peak: float
    embeddings: NDArray[np.float32]


def example_of(
    clip: str, opening: Mapping[str, JSON], begin: int, sound: Samples, features: Features, scorer: Scorer
) -> Example | None:
    """Make one of a stored clip; none where no wake word began it, or where the device had too little sound before."""
    found = opening_of(clip, opening, begin, sound, whole=True)
    model, score = opening.get("model"), opening.get("score")
    if found is None or not isinstance(model, str) or not isinstance(score, float | int):
        return None
    windows = hops_of(found.word) - BLIND
    until = sound[: detection_of(found.word, found.word_end)]
    if len(until) < (windows + BLIND) * HOP:
        return None
    peak = max(float(score), _peak(found, sound, scorer))
    return Example(clip, found.word, model, round(peak, 6), embeddings_before(features, until, windows))


def _peak(opening: Opening, sound: Samples, scorer: Scorer) -> float:
    """The highest score from the detection on, with silence in place of what came before the clip.

    The device tells the score that woke it, and that is often the first step of a rise: whether a higher threshold
    would have kept it silent cannot be told from it. Hops are laid as the device laid them.
    """
    detected = detection_of(opening.word, opening.word_end)
    before = _SILENCE_HOPS * HOP + (-detected) % HOP
    heard = np.concatenate([np.zeros(before, np.int16), sound[: detected + _AFTER]])
    scores = scorer.score(heard)[(before + detected) // HOP - 1 :]
    return float(scores.max(initial=0.0))
