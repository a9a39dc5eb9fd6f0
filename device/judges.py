"""What judges sound on behalf of the firmware."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Voice(Protocol):
    """Tells how likely a hop holds speech; `wakeword.vad.VoiceActivity` does."""

    def push(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """int16[k * 1280] -> float32[k]."""
        ...

    def reset(self) -> None:
        """Forget all sound."""
        ...


class SecondLook(Protocol):
    """Judges what woke, before anything is sent; `wakeword.second_look.SecondLook` does."""

    @property
    def samples(self) -> int:
        """How much sound it needs, up to the detection."""
        ...

    @property
    def threshold(self) -> float:
        """The score that passes."""
        ...

    def score(self, sound: NDArray[np.int16]) -> float | None:
        """int16[n] up to the detection -> how surely the word is there, 0 to 1; none for too little sound."""
        ...
