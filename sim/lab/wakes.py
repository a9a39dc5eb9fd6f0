"""Where the device wakes in scores that are there already: its own trigger decides, hop by hop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wakeword.scored_file import hop_end
from wakeword.scorer import Scores
from wakeword.trigger import Trigger, TriggerSettings


def wakes(
    scores: Scores,
    settings: TriggerSettings,
    passes: Callable[[int], bool] = lambda _at: True,
) -> list[int]:
    """The samples at which float32[h], one score a hop from a fresh start, wakes: ends of hops, in order.

    Every wake of the detector counts, also one that the device refuses because it listens already, but not one that
    does not pass its second look (`passes`, of the sample). Hops that cannot change anything are passed over: those
    under both the near-miss margin and the score that rearms, but the first of each run.
    """
    quiet = min(settings.near_miss_from, settings.rearm_below)
    loud = scores >= quiet
    if not np.any(scores >= settings.threshold):
        return []
    loud[1:] |= loud[:-1]
    trigger, found = Trigger(settings), []
    for hop in np.flatnonzero(loud).tolist():
        detection = trigger.push(float(scores[hop]), hop_end(hop))
        if detection is None or not detection.woke:
            continue
        if passes(detection.sample):
            found.append(detection.sample)
        else:
            trigger.take_back()
    return found
