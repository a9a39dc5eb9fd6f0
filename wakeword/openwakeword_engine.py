"""The default engine: openWakeWord's models, evaluated without doing anything twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wakeword.derived import derived
from wakeword.errors import ModelError
from wakeword.features import TILE, Features, FeatureStream
from wakeword.frames import EMBEDDING, FRAMES_PER_HOP, HOP, WINDOW_FRAMES, as_hops, rolling, whole_hops
from wakeword.models import ModelFile, find_model
from wakeword.scorer import ScorerGroup, Scores, ScoreStream
from wakeword.session import Session

_THRESHOLD = 0.5
"""What openWakeWord's documentation recommends for its own models."""


def _run(model: bytes, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    session = Session(model, "a derived classifier")
    return session.run({session.inputs[0].name: windows})[0]


def _derive(data: bytes) -> bytes:
    from wakeword.graphs import batched_classifier

    return batched_classifier(_run, data)


class Classifier:
    """The last stage of one wake word: a window of embeddings to one score."""

    def __init__(self, model: ModelFile) -> None:
        session = Session(model.data, str(model.path))
        shape = session.inputs[0].shape
        if len(session.inputs) != 1 or len(shape) != 3 or shape[2] != EMBEDDING or not shape[1]:
            raise ModelError(
                f"the model {model.path} takes {[list(port.shape) for port in session.inputs]}, not one window of "
                f"{EMBEDDING}-value embeddings; give a model in openWakeWord's format"
            )
        if len(session.outputs[0].shape) != 2 or not session.outputs[0].shape[1]:
            raise ModelError(f"the model {model.path} gives no score; give a model in openWakeWord's format")
        self.name, self.sha256 = model.name, model.sha256
        self.hops: int = shape[1]
        self._session = Session(derived(model, "classifier", _derive), str(model.path))
        self._input = self._session.inputs[0].name
        self._batched = self._session.inputs[0].shape[0] is None

    def scores(self, windows: NDArray[np.float32]) -> Scores:
        """float32[k, hops, 96] -> float32[k].

        A model of several classes (`timer`) keeps class 0 for "none of them"; its score is that of the likeliest of
        the others.
        """
        if self._batched:
            out = self._session.run({self._input: windows})[0]
        else:
            out = np.concatenate([self._session.run({self._input: window[None]})[0] for window in windows])
        best: Scores = out[:, 0] if out.shape[1] == 1 else out[:, 1:].max(axis=1)
        return best


class OpenWakeWord(ScorerGroup):
    """A ScorerGroup over openWakeWord models; the features are computed once for all of them.

    Everything starts in endless digital silence, so the same sound gives the same scores from the first hop on.
    """

    engine = "openwakeword"

    def __init__(self, models: Sequence[str]) -> None:
        self._classifiers = [Classifier(find_model(model)) for model in models]
        self._features = Features()
        self.names = tuple(classifier.name for classifier in self._classifiers)
        self.hashes = tuple(classifier.sha256 for classifier in self._classifiers)
        self.thresholds = (_THRESHOLD,) * len(self.names)
        # The first hop's mel frames reach back before the stream, so they count as assumed, too.
        self.warm_up_hops = max(c.hops for c in self._classifiers) - 1 + -(-WINDOW_FRAMES // FRAMES_PER_HOP)
        self.reset()

    def fresh(self) -> ScoreStream:
        """A stream of its own that starts in silence."""
        return _Stream(self._features, self._classifiers)

    def embed(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """int16[n] -> float32[n // 1280, 96]: the embeddings alone, from a fresh start."""
        return FeatureStream(self._features).push(whole_hops(samples))


class _Stream:
    """Embeddings of one stream, as far back as the longest window reaches, and the classifiers that look at them."""

    def __init__(self, features: Features, classifiers: Sequence[Classifier]) -> None:
        self._features = FeatureStream(features)
        self._classifiers = classifiers
        self._before = max(classifier.hops for classifier in classifiers) - 1
        self._embeddings = np.tile(features.silence, (self._before, 1))

    def push(self, hops: NDArray[np.int16]) -> Scores:
        count = len(as_hops(hops))
        scores = np.empty((count, len(self._classifiers)), np.float32)
        for first in range(0, count, TILE):
            new = self._features.push(hops[first * HOP : (first + TILE) * HOP])
            seen = np.concatenate([self._embeddings, new])
            for column, classifier in enumerate(self._classifiers):
                late = seen[self._before + 1 - classifier.hops :]
                windows = np.ascontiguousarray(rolling(late, classifier.hops, 1))
                scores[first : first + TILE, column] = classifier.scores(windows)
            self._embeddings = seen[len(new) :]
        return scores
