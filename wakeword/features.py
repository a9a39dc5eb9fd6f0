"""From samples to embeddings: what all wake words share, computed once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wakeword.derived import derived
from wakeword.frames import EMBEDDING, FRAMES_PER_HOP, HISTORY, HOP, MEL_BANDS, WINDOW_FRAMES, as_hops, rolling
from wakeword.melspectrogram import SILENCE, load_melspectrogram
from wakeword.models import EMBEDDING as EMBEDDING_MODEL
from wakeword.models import MELSPECTROGRAM, shared_model
from wakeword.session import Session

TILE = 64
"""Hops that go through the network together in bulk: more gain nothing and leave the processor's cache."""


class Features:
    """The feature extraction: the mel front end and Google's speech embedding, without state; share one."""

    def __init__(self) -> None:
        self.mel = load_melspectrogram(shared_model(MELSPECTROGRAM))
        self._network = Session(derived(shared_model(EMBEDDING_MODEL), "embedding", _derive), "the speech embedding")
        self._state_names = [port.name for port in self._network.inputs[1:]]
        self.silence_state, self.silence = self._settle()

    def step(
        self, mel: NDArray[np.float32], state: list[NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """float32[8 h, 32] mel frames and the network's state -> float32[h, 96] embeddings and the next state."""
        inputs = dict(zip(self._state_names, state, strict=True))
        embeddings, *following = self._network.run({"mel": mel[None, None], **inputs})
        return embeddings.reshape(EMBEDDING, -1).T, following

    def _settle(self) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
        """The state in which endless digital silence leaves the network, and silence's embedding."""
        state = [self._network.zeros(name) for name in self._state_names]
        hops = -(-WINDOW_FRAMES // FRAMES_PER_HOP) + 1
        mel = np.full((hops * FRAMES_PER_HOP, MEL_BANDS), SILENCE, np.float32)
        embeddings, state = self.step(mel, state)
        return state, embeddings[-1]


def _derive(data: bytes) -> bytes:
    from wakeword.graphs import streaming_embedding

    return streaming_embedding(data)


class FeatureStream:
    """Embeddings of one stream, which starts in endless digital silence: a fixed state, not random sound."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self.reset()

    def reset(self) -> None:
        """Forget all sound; the next hop is the first."""
        self._before = np.zeros(HISTORY, np.int16)
        self._state = self._features.silence_state

    def push(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """int16[k * 1280] -> float32[k, 96], one embedding for each hop; raises SoundError for other lengths."""
        hops = as_hops(samples)
        embeddings = np.empty((len(hops), EMBEDDING), np.float32)
        for first in range(0, len(hops), TILE):
            tile = samples[first * HOP : (first + TILE) * HOP]
            seen = np.concatenate([self._before, tile])
            windows = rolling(seen, HISTORY + HOP, HOP)
            embeddings[first : first + TILE], self._state = self._features.step(
                self._features.mel.frames(windows), self._state
            )
            self._before = seen[-HISTORY:]
        return embeddings
