"""Speech detection before the recognizer: what is no speech is not given to it, so that silence makes no words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.frames import HOP
from wakeword.sound import RATE
from wakeword.vad import VoiceActivity

MARGIN = 4 * HOP
"""Samples (320 ms) kept before and after speech: the detector is late for a soft first sound and early for a last."""

PAUSE = 8 * HOP
"""Samples (640 ms) without speech that end a stretch: pauses inside a sentence are mostly shorter."""

LONG = 10 * RATE
"""Samples after which a stretch ends at the first hop without speech, so that the work on it stays bounded."""

LONGEST = 20 * RATE
"""Samples at which a stretch ends whatever is being said."""


@dataclass(frozen=True)
class Piece:
    """The next samples of a stretch of speech; ``begin`` in the clip. With the `last` one the stretch is over."""

    begin: int
    samples: NDArray[np.int16]
    last: bool


class SpeechGate:
    """Lets the stretches of one clip through that hold speech, with `MARGIN` around them.

    The same samples in any cuts give the same pieces. At a ``probability`` of 0 everything is speech; ``voice`` must
    be fresh.
    """

    def __init__(self, voice: VoiceActivity, probability: float) -> None:
        self._voice, self._probability = voice, probability
        self._kept = np.zeros(0, np.int16)
        self._kept_from = 0  # where `_kept` begins: what was let through, or can no longer be, is gone
        self._judged = 0  # up to here it is known what is speech
        self._begin: int | None = None  # of the open stretch
        self._speech_end = 0

    def push(self, samples: NDArray[np.int16]) -> Iterator[Piece]:
        """Take the next samples of the clip and give what can be told of it."""
        self._kept = np.concatenate([self._kept, samples])
        while self._head - self._judged >= HOP:
            yield from self._judge(self._judged + HOP)

    def finish(self) -> Iterator[Piece]:
        """Judge the samples that fill no hop, and end the open stretch."""
        head = self._head
        if head > self._judged:
            yield from self._judge(head)
        if self._begin is not None:
            yield self._close(head)

    @property
    def _head(self) -> int:
        return self._kept_from + len(self._kept)

    def _judge(self, end: int) -> Iterator[Piece]:
        """Take samples up to ``end``, at most a hop more than are judged."""
        hop = self._read(self._judged, end)
        begin, self._judged = self._judged, end
        if self._probability <= float(self._voice.push(np.pad(hop, (0, HOP - len(hop))))[0]):
            if self._begin is None:
                self._begin = max(self._kept_from, begin - MARGIN)
                self._drop(self._begin)
            self._speech_end = end
        if self._begin is None:
            self._drop(end - MARGIN)
        elif end - self._speech_end >= PAUSE or (end - self._begin >= LONG and end > self._speech_end):
            yield self._close(end)
        elif end - self._begin >= LONGEST:
            self._speech_end = end
            yield self._close(end)
        else:
            sure = min(end, self._speech_end + MARGIN)
            if sure > self._kept_from:
                yield self._take(sure, last=False)

    def _close(self, end: int) -> Piece:
        self._begin = None
        return self._take(max(self._kept_from, min(end, self._speech_end + MARGIN)), last=True)

    def _take(self, end: int, last: bool) -> Piece:
        piece = Piece(self._kept_from, self._read(self._kept_from, end), last)
        self._drop(end)
        return piece

    def _read(self, begin: int, end: int) -> NDArray[np.int16]:
        return self._kept[begin - self._kept_from : end - self._kept_from]

    def _drop(self, until: int) -> None:
        if until > self._kept_from:
            self._kept = self._kept[until - self._kept_from :]
            self._kept_from = until
