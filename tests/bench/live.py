"""The device alive: from the last sample of the hop to somebody seeing the WAKE event."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from device.audio import ArraySource
from device.events import Event, Kind
from device.runtime import Runtime
from tests.bench.clock import HeadStart
from tests.bench.effort import Effort
from tests.bench.figure import Row, in_turn
from tests.bench.kitchen import new_firmware, scene
from wakeword import load_scorers
from wakeword.frames import HOP
from wakeword.scorer import ScorerGroup
from wakeword.sound import RATE

_PACED_S = 0.3
"""How much of the sound before the wake comes as slowly as it is heard."""


def rows(effort: Effort) -> Iterator[Row]:
    """Measure wakes of a live runtime, each beside a bare timer of the same length as a hop."""
    scorers = load_scorers(["alexa"])
    late = in_turn(effort.live_wakes, effort.warm_up, {"ours": lambda: _wake_ms(scorers), "timer": _timer_ms})
    ours, timer = late["ours"], late["timer"]
    yield Row(
        "live, last sample to WAKE seen",
        "ms",
        ours,
        "a bare timer's lateness, the limit",
        timer,
        timer.over(ours),
        remark="a runtime on sound in real time; the highest is the worst",
    )


def _wake_ms(scorers: ScorerGroup) -> float:
    stage = scene()
    clock = HeadStart(stage.wake / RATE - _PACED_S)
    seen: list[float] = []

    def watch(event: Event) -> None:
        if event.kind == Kind.WAKE:
            seen.append(clock.now())

    source = ArraySource(stage.sound[: stage.wake], "real", clock=clock)
    Runtime(new_firmware(scorers), source, [watch]).run()
    (when,) = seen
    return (when - stage.wake / RATE) * 1e3


def _timer_ms() -> float:
    due = time.monotonic() + HOP / RATE
    threading.Event().wait(HOP / RATE)
    return (time.monotonic() - due) * 1e3
