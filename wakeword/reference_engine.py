"""The `openwakeword` package's own code behind our interface, for comparison. The only file that imports it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import EngineMissing, ModelError
from wakeword.frames import HOP, as_hops, as_samples
from wakeword.models import find_model
from wakeword.scorer import Scores

_RANDOM_START_HOPS = 26
"""openWakeWord starts from unseeded random sound; by this hop all of its windows are sound that was pushed."""


class Reference:
    """A ScorerGroup that is `openwakeword.Model`, nothing added. Its first 26 scores differ from run to run."""

    engine = "reference"

    def __init__(self, models: Sequence[str]) -> None:
        files = [find_model(model) for model in models]
        self._paths = [str(file.path) for file in files]
        self.names = tuple(file.name for file in files)
        self.hashes = tuple(file.sha256 for file in files)
        self.thresholds = (0.5,) * len(files)
        self.reset()

    def reset(self) -> None:
        """Forget all sound: Model.reset() of 0.5.1 keeps its buffers, so a new one is made."""
        self._model = _new(self._paths)
        self._heard = 0

    @property
    def warming_up(self) -> bool:
        """Whether the newest scores still rest partly on the package's random start."""
        return self._heard < _RANDOM_START_HOPS

    def push(self, hop: NDArray[np.int16]) -> Scores:
        """int16[1280] -> float32[k]."""
        if len(as_hops(hop)) != 1:
            raise ModelError(f"push takes one hop of {HOP} samples, not {len(hop)}")
        self._heard += 1
        return _scores(self._model, hop)

    def score(self, samples: NDArray[np.int16]) -> Scores:
        """int16[n] -> float32[n // 1280, k]; from a fresh start, the stream is untouched."""
        model, count = _new(self._paths), len(as_samples(samples)) // HOP
        hops = as_hops(samples[: count * HOP])
        if not count:
            return np.empty((0, len(self.names)), np.float32)
        return np.stack([_scores(model, hop) for hop in hops])


def _new(paths: list[str]) -> Any:
    try:
        import openwakeword
    except ImportError as error:
        raise EngineMissing(
            f"the reference engine needs {error.name}, which is not installed; "
            "install it with: pip install scikit-learn scipy tqdm requests"
        ) from None
    return openwakeword.Model(wakeword_models=list(paths), inference_framework="onnx")


def _scores(model: Any, hop: NDArray[np.int16]) -> Scores:
    predictions = model.predict(hop)
    scores = []
    for word, labels in model.class_mapping.items():
        # A model of several classes is given class by class; class 0 is "none of them".
        classes = [word] if len(labels) == 1 else [label for index, label in labels.items() if index != "0"]
        scores.append(max(predictions[label] for label in classes))
    return np.array(scores, np.float32)
