"""microWakeWord's models through pymicro-wakeword (optional). The only file that imports it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import EngineMissing, ModelError
from wakeword.frames import as_hops
from wakeword.scorer import ScorerGroup, Scores, ScoreStream

_FRAME = 160
"""Samples, 10 ms, from one frame of features to the next; a model takes `stride` of them at a time."""


class Micro(ScorerGroup):
    """A ScorerGroup over microWakeWord models: names such as `alexa`, or paths of their JSON descriptions.

    A model gives a probability each 30 ms, averaged over its own sliding window; the score of a hop is the highest
    that falls into it.
    """

    engine = "micro"
    warm_up_hops = 13  # about one second: the span of a model's streaming state and of its sliding mean

    def __init__(self, models: Sequence[str]) -> None:
        try:
            import pymicro_wakeword
        except ImportError:
            raise EngineMissing(
                "the micro engine needs pymicro-wakeword, which is not installed; "
                "install it with: pip install pymicro-wakeword"
            ) from None
        self._package = pymicro_wakeword
        self._configs = [_find(model, Path(pymicro_wakeword.__file__).parent / "models") for model in models]
        described = [_describe(config, pymicro_wakeword) for config in self._configs]
        self.names = tuple(config.stem for config in self._configs)
        self.thresholds = tuple(cutoff for cutoff, _ in described)
        self.hashes = tuple(digest for _, digest in described)
        self.period = math.lcm(*(word.stride * _FRAME for word in self._words()))
        self.reset()

    def fresh(self) -> ScoreStream:
        """A stream of its own that starts in silence."""
        return _Stream(self._package.MicroWakeWordFeatures(), self._words())

    def _words(self) -> list[Any]:
        return [self._package.MicroWakeWord.from_config(config) for config in self._configs]


class _Stream:
    def __init__(self, features: Any, words: list[Any]) -> None:
        self._features, self._words = features, words

    def push(self, hops: NDArray[np.int16]) -> Scores:
        scores = np.zeros((len(as_hops(hops)), len(self._words)), np.float32)
        for row, hop in zip(scores, as_hops(hops), strict=True):
            for features in self._features.process_streaming(hop.astype("<i2").tobytes()):
                for column, word in enumerate(self._words):
                    # Between two strides, and until its sliding window is full, the package answers 0.
                    row[column] = max(row[column], word.process_streaming_prob(features))
        return scores


def _find(model: str, folder: Path) -> Path:
    for path in (folder / f"{model}.json", Path(model).expanduser()):
        if path.is_file():
            return path
    names = ", ".join(sorted(path.stem for path in folder.glob("*.json")))
    raise ModelError(f"there is no microWakeWord model called {model}; choose one of {names}, or give a .json path")


def _describe(config: Path, package: Any) -> tuple[float, str]:
    try:
        described = json.loads(config.read_text(encoding="utf-8"))
        model = config.parent / described["model"]
        digest = hashlib.sha256(model.read_bytes()).hexdigest()
        _refuse_broken(model, package)
        package.MicroWakeWord.from_config(config)
        return float(described["micro"]["probability_cutoff"]), digest
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"{config} describes no microWakeWord model ({error}); give one of version 2") from None


def _refuse_broken(model: Path, package: Any) -> None:
    """Raise ValueError unless TensorFlow Lite can read the model: the package itself would end in a crash."""
    (library,) = (Path(package.__file__).parent / "lib").glob("*tensorflowlite_c.*")
    lite = package.wakeword.TfLiteWakeWord(library).lib
    loaded = lite.TfLiteModelCreateFromFile(str(model).encode())
    if not loaded:
        raise ValueError(f"{model.name} is no TensorFlow Lite model")
    lite.TfLiteModelDelete(loaded)
