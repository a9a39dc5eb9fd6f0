"""Silero's voice activity detector, as openWakeWord's wheel carries it: how likely it is that a hop holds speech."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wakeword.frames import HOP, as_hops
from wakeword.models import VAD, ModelFile, shared_model
from wakeword.session import Session
from wakeword.sound import RATE

FRAME = HOP // 2
"""Samples a call, 40 ms: two calls a hop. The network takes 32 ms and more."""


class VoiceActivity:
    """Speech probability of one stream, hop by hop."""

    def __init__(self, model: ModelFile | None = None) -> None:
        model = model or shared_model(VAD)
        self._session = Session(model.data, str(model.path))
        self._rate = np.array(RATE, np.int64)
        self.reset()

    def reset(self) -> None:
        """Forget all sound."""
        self._h = np.zeros((2, 1, 64), np.float32)
        self._c = np.zeros((2, 1, 64), np.float32)

    def push(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """int16[k * 1280] -> float32[k], 0 to 1: the higher of each hop's two halves."""
        hops = as_hops(samples)
        frames = hops.reshape(-1, FRAME).astype(np.float32) / np.float32(32767)
        chances = np.empty(len(frames), np.float32)
        for k, frame in enumerate(frames):
            inputs = {"input": frame[None], "sr": self._rate, "h": self._h, "c": self._c}
            chance, self._h, self._c = self._session.run(inputs)
            chances[k] = chance[0, 0]
        return chances.reshape(-1, 2).max(axis=1) if len(hops) else chances
