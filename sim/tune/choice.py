"""Which threshold: what was missed and what woke falsely at each, and the one to take.

Conventions
-----------
- Wakes are what the device's own trigger makes of the scores, so that hysteresis, patience and refractory time count;
  the latter not where the word is said again and again, which nobody does to a device.
- Of the thresholds from which on no more false wakes came than were wished for, those with the fewest misses are as
  good as each other. If the one in use is among them there is no reason to leave it; else the middle of their longest
  run is the farthest from either mistake.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from device.config import WakeSettings
from device.ear import trigger_settings
from sim.lab.detection import THRESHOLDS, Evaluation, Point, Rates, evaluate
from sim.lab.intervals import CONFIDENCE, garwood
from sim.lab.matching import Span, match
from sim.lab.wakes import wakes
from wakeword.scorer import Scores


@dataclass(frozen=True)
class Choice:
    """`threshold`: the one to take, or None where every one wakes falsely too often."""

    threshold: float | None
    in_use: float
    per_hour: float
    """Wished for."""
    evaluation: Evaluation
    """At the threshold to take, or the one in use where there is none."""

    @property
    def chosen(self) -> Rates:
        """The rates there."""
        return self.evaluation.at

    @property
    def point(self) -> Point:
        """The counts there."""
        return self.evaluation.point

    def at(self, threshold: float) -> Rates:
        """The rates at another threshold of the curve."""
        return next(each for each in self.evaluation.curve if each.threshold == threshold)


def points(
    said: Scores, spans: Sequence[Span], others: Sequence[Scores], hours: float, settings: WakeSettings, in_use: float
) -> list[Point]:
    """What was counted at each threshold: misses among what was said, and wakes of what was not the word."""
    found = []
    for threshold in sorted({*THRESHOLDS, in_use}):
        trigger = trigger_settings(settings, threshold)
        misses = len(spans) - len(match(spans, wakes(said, replace(trigger, refractory=0))))
        false = sum(len(wakes(other, trigger)) for other in others)
        found.append(Point(threshold, misses, len(spans), false, hours))
    return found


def choose(found: Sequence[Point], in_use: float, per_hour: float) -> Choice:
    """The threshold to take, by the rule above. Raises ValueError as `sim.lab.detection.validate` does."""
    taken = _best(found, in_use, per_hour)
    at = next(point for point in found if point.threshold == (in_use if taken is None else taken))
    return Choice(taken, in_use, per_hour, evaluate(found, at, (), per_hour))


def _best(found: Sequence[Point], in_use: float, per_hour: float) -> float | None:
    allowed: list[Point] = []
    for point in reversed(found):
        if point.hours and point.false_wakes / point.hours > per_hour:
            break
        allowed.insert(0, point)
    if not allowed:
        return None
    fewest = min(point.misses for point in allowed)
    equal = [point.threshold for point in allowed if point.misses == fewest]
    if in_use in equal:
        return in_use
    runs: list[list[float]] = []
    for before, point in zip([None, *allowed], allowed, strict=False):
        if point.misses != fewest:
            continue
        if before is not None and before.misses == fewest and runs:
            runs[-1].append(point.threshold)
        else:
            runs.append([point.threshold])
    longest = max(runs, key=lambda run: run[-1] - run[0])
    middle = (longest[0] + longest[-1]) / 2
    return min(longest, key=lambda threshold: abs(threshold - middle))


def hours_needed(per_hour: float, confidence: float = CONFIDENCE) -> float:
    """How long nothing must wake it before that shows that it happens at most `per_hour` times an hour."""
    return math.inf if per_hour <= 0 else garwood(0, 1.0, confidence).high / per_hour
