"""What listens all the time: the ring, the scores of the wake words, and what their triggers decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device.config import WakeSettings, samples
from device.ring import Ring
from wakeword.frames import HOP
from wakeword.scorer import ScorerGroup
from wakeword.trigger import Detection, Trigger, TriggerSettings

_FOREVER = 2**63 - 1


@dataclass(frozen=True)
class Heard:
    """One hop of the grid: its end, the scores float32[k], and what they decided, word by word.

    `scores` is None for a hop of which only a part was heard (after a gap, or muted).
    """

    end: int
    scores: NDArray[np.float32] | None = None
    detections: tuple[tuple[str, Detection], ...] = ()


def thresholds(settings: WakeSettings, scorers: ScorerGroup) -> dict[str, float]:
    """The score at which each wake word wakes: what was set, or else what its engine recommends."""
    recommended = zip(scorers.names, scorers.thresholds, strict=True)
    return {name: own if settings.threshold is None else settings.threshold for name, own in recommended}


def trigger_settings(settings: WakeSettings, threshold: float) -> TriggerSettings:
    """How a word's trigger works that wakes at `threshold`."""
    return TriggerSettings(
        threshold=threshold,
        patience_hops=settings.patience_hops,
        hysteresis=settings.hysteresis,
        refractory=samples(settings.refractory_ms),
        near_miss_margin=settings.near_miss_margin,
        near_miss_settle=samples(settings.near_miss_settle_ms),
    )


class Ear:
    """Takes samples and cuts them into hops; hops lie at multiples of 1280 of the sample clock, whatever happens."""

    def __init__(self, settings: WakeSettings, ring_ms: int, scorers: ScorerGroup) -> None:
        self.scorers = scorers
        self.ring = Ring(samples(ring_ms))
        self.clock = 0
        self._bar, self._bar_end = 0.0, 0
        self.triggers = {
            name: Trigger(trigger_settings(settings, threshold))
            for name, threshold in thresholds(settings, scorers).items()
        }

    def adopt(self, settings: WakeSettings) -> None:
        """Decide by other settings from the next hop on."""
        for name, threshold in thresholds(settings, self.scorers).items():
            self.triggers[name].settings = trigger_settings(settings, threshold)

    def hear(self, sound: NDArray[np.int16], keep: bool) -> Iterator[Heard]:
        """Take int16[n]; give each hop as its last sample arrives. Where `keep` is false the samples only count."""
        taken = 0
        while taken < len(sound):
            piece = sound[taken : taken + HOP - self.clock % HOP]
            taken += len(piece)
            self.clock += len(piece)
            if keep:
                self.ring.append(piece)
            else:
                self.ring.tail = self.ring.head = self.clock
            if self.clock % HOP == 0:
                yield self._hop(self.clock)

    def _hop(self, end: int) -> Heard:
        if self.ring.tail > end - HOP:
            return Heard(end)
        scores = self.scorers.push(self.ring.read(end - HOP, end))[0]
        bar = self._bar if end <= self._bar_end else 0.0
        decided = {
            name: trigger.push(float(score), end, bar)
            for (name, trigger), score in zip(self.triggers.items(), scores, strict=True)
        }
        return Heard(end, scores, tuple((name, made) for name, made in decided.items() if made is not None))

    def raise_bar(self, bar: float) -> None:
        """From now on a score must reach this, too, and not only its word's own threshold."""
        self._bar, self._bar_end = bar, _FOREVER

    def lower_bar(self, end: int) -> None:
        """Let that be over with the hops that end after this sample."""
        self._bar_end = end

    def take_back(self, name: str) -> None:
        """What was taken for this word was none."""
        self.triggers[name].take_back()

    def forget_peaks(self) -> tuple[tuple[str, Detection], ...]:
        """Give the near misses under way, and let the triggers start anew."""
        ended = tuple((name, trigger.flush(self.clock)) for name, trigger in self.triggers.items())
        for trigger in self.triggers.values():
            trigger.rearm()
        return tuple((name, detection) for name, detection in ended if detection is not None)

    def forget(self, clock: int) -> tuple[tuple[str, Detection], ...]:
        """Wipe everything that was heard and go on at `clock`; give the near misses that were under way."""
        ended = self.forget_peaks()
        self.ring.wipe(clock)
        self.clock = clock
        self.scorers.reset()
        return ended
