"""What tuning hears: the score of every hop, and each time that something was said."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from device.audio import Block
from device.mic_check import Examination, Now
from sim.lab.matching import Span
from wakeword.frames import HOP
from wakeword.scorer import Scores
from wakeword.sound import RATE

PAUSE_HOPS = 8
"""So long a silence ends what was said: 0.64 s."""
LEAST_HOPS = 2
"""Shorter speech is a click or a cough."""
_BEFORE = 2 * HOP
"""The voice detector notices speech a little after it begins."""


class Utterances:
    """Cuts a stream of hops into what was said, between silences."""

    def __init__(self) -> None:
        self._begin: int | None = None
        self._last = 0
        self._spoken = 0
        self._before = 0

    def push(self, speech: bool, end: int) -> Span | None:
        """Take the hop that ends at sample `end`; gives what was said once it is over, as (begin, end)."""
        if speech:
            if self._begin is None:
                self._begin, self._spoken = max(self._before, end - HOP - _BEFORE), 0
            self._last = end
            self._spoken += 1
        if self._begin is None or end - self._last < PAUSE_HOPS * HOP:
            return None
        return self.finish()

    def finish(self) -> Span | None:
        """Nothing more comes: give what was being said, if it was long enough."""
        begin, self._begin = self._begin, None
        if begin is None or self._spoken < LEAST_HOPS:
            return None
        self._before = self._last
        return begin, self._last


@dataclass
class Hearing:
    """One stretch of listening, fed with blocks: `scores` by hop from `begin` on; a hop that was not heard scores 0."""

    examination: Examination
    word: int = 0
    """Which of the examination's words."""
    spans: list[Span] = field(default_factory=list)
    """What was said, in samples from the beginning."""
    heard: int = 0
    """Hops."""
    _scores: list[float] = field(default_factory=list)
    _utterances: Utterances = field(default_factory=Utterances)
    _begin: int | None = None

    def hear(self, block: Block) -> list[Now]:
        """Take the next block; gives its hops, for whoever looks on."""
        if self._begin is None:
            self._begin = self.examination.clock // HOP
        found = self.examination.hear(block)
        last = self.examination.clock // HOP - self._begin
        for number, now in enumerate(found, last - len(found)):
            self._scores.extend([0.0] * (number - len(self._scores)))
            self._scores.append(now.scores[self.word])
            self.heard += 1
            said = self._utterances.push(now.speech, (number + 1) * HOP)
            if said is not None:
                self.spans.append(said)
        return found

    def finish(self) -> None:
        """The stretch is over."""
        said = self._utterances.finish()
        if said is not None:
            self.spans.append(said)

    @property
    def scores(self) -> Scores:
        """float32[h]."""
        return np.array(self._scores, np.float32)

    @property
    def hours(self) -> float:
        """How long it really heard."""
        return self.heard * HOP / RATE / 3600

    def best(self, span: Span) -> float:
        """The highest score of what was said, and shortly after."""
        first, last = span[0] // HOP, span[1] // HOP + PAUSE_HOPS
        return max(self._scores[first : last + 1], default=0.0)
