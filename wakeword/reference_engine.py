"""The `openwakeword` package's own code behind our interface, for comparison. The only file that imports it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import EngineMissing
from wakeword.frames import as_hops
from wakeword.models import find_model
from wakeword.scorer import ScorerGroup, Scores, ScoreStream

_RANDOM_FEATURE_HOPS = 10
"""openWakeWord starts from unseeded random sound; so many embeddings rest on it."""


class Reference(ScorerGroup):
    """A ScorerGroup that is `openwakeword.Model`, nothing added. While it warms up its scores differ from run to run.

    Its Model.reset() of 0.5.1 keeps the buffers, so every fresh stream is a new Model.
    """

    engine = "reference"

    def __init__(self, models: Sequence[str]) -> None:
        files = [find_model(model) for model in models]
        self._paths = [str(file.path) for file in files]
        self.names = tuple(file.name for file in files)
        self.hashes = tuple(file.sha256 for file in files)
        self.thresholds = (0.5,) * len(files)
        self.reset()

    def fresh(self) -> ScoreStream:
        """A new Model, which starts in random sound."""
        stream = _Stream(self._paths)
        self.warm_up_hops = stream.window_hops - 1 + _RANDOM_FEATURE_HOPS
        return stream


class _Stream:
    def __init__(self, paths: list[str]) -> None:
        self._model = _new(paths)
        self.window_hops: int = max(self._model.model_inputs.values())

    def push(self, hops: NDArray[np.int16]) -> Scores:
        scores = [_scores(self._model, hop) for hop in as_hops(hops)]
        return np.array(scores, np.float32).reshape(len(scores), len(self._model.models))


def _new(paths: list[str]) -> Any:
    try:
        import openwakeword
    except ImportError as error:
        raise EngineMissing(
            f"the reference engine needs {error.name}, which is not installed; "
            "install it with: pip install scikit-learn scipy tqdm requests"
        ) from None
    return openwakeword.Model(wakeword_models=list(paths), inference_framework="onnx")


def _scores(model: Any, hop: NDArray[np.int16]) -> list[float]:
    predictions = model.predict(hop)
    scores = []
    for word, labels in model.class_mapping.items():
        # A model of several classes is given class by class; class 0 is "none of them".
        classes = [word] if len(labels) == 1 else [label for index, label in labels.items() if index != "0"]
        scores.append(max(predictions[label] for label in classes))
    return scores
