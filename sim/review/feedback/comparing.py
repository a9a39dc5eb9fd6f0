"""What second looks and thresholds are worth: false wakes avoided against true wakes lost, on the same clips. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.lab.intervals import garwood
from sim.review.feedback.intervals import paired, share
from sim.review.feedback.playing import Day
from wakeword.sound import RATE

Verdicts = Mapping[str, bool]
"""By clip: whether the wake passed."""


@dataclass(frozen=True)
class Tried:
    """A wake of the days held out, and which ways of judging let it pass. `true`: somebody called the device."""

    clip: str
    true: bool
    passed: Verdicts


def worth(tried: Sequence[Tried], way: str) -> dict[str, Any]:
    """Of one way of judging: the false wakes that it avoids and the true ones that it loses, with intervals."""
    false = [each.passed[way] for each in tried if not each.true]
    true = [each.passed[way] for each in tried if each.true]
    return {
        "false_wakes_avoided": share(false.count(False), len(false)).facts(),
        "true_wakes_lost": share(true.count(False), len(true)).facts(),
    }


def against(tried: Sequence[Tried], way: str, other: str) -> dict[str, Any]:
    """How much more one way avoids, and loses, than another of the same wakes: differences of shares, paired."""

    def difference(true: bool) -> dict[str, float]:
        stopped = [(not each.passed[way], not each.passed[other]) for each in tried if each.true == true]
        counts = (stopped.count(pair) for pair in ((True, True), (True, False), (False, True), (False, False)))
        value, low, high = paired(*counts)
        return {"difference": round(value, 4), "low": round(low, 4), "high": round(high, 4)}

    return {"way": way, "other": other, "avoided": difference(False), "lost": difference(True)}


def played(days: Sequence[Day], before: Sequence[Day]) -> dict[str, Any]:
    """What the days held out came to when they were played, beside how they went as before, line by line.

    A home in which the device no longer answers goes on differently, so what is said comes at other moments and some
    lines wake that did not before: `new`. They are counted as lines, once however often they wake; what wakes while
    nobody speaks is the device's own voice.
    """
    hours = sum(day.samples for day in days) / RATE / 3600
    wakes = [wake for day in days for wake in day.wakes]
    false = sum(wake.said == "false" for wake in wakes)
    called = {(day.home, day.day, line) for day in days for line in day.asked}
    answered, were = _lines(days, "true"), _lines(before, "true")
    woke, woken = _lines(days, "false"), _lines(before, "false")
    low, high = garwood(false, hours)
    return {
        "hours": round(hours, 3),
        "false_wakes": false,
        "false_wakes_per_hour": [round(false / hours, 2), round(low, 2), round(high, 2)],
        "calls_answered": share(len(answered & called), len(called)).facts(),
        "false_wakes_while_nobody_spoke": sum(wake.said == "false" and wake.line is None for wake in wakes),
        "refused_on_device": {
            said: sum(kind == said for day in days for kind, _ in day.refused) for said in ("false", "true", "other")
        },
        "lines_waking_falsely": {
            "before": len(woken),
            "avoided": share(len(woken - woke), len(woken)).facts(),
            "new": len(woke - woken),
        },
        "calls": {
            "before": len(were),
            "lost": share(len(were - answered), len(were)).facts(),
            "new": len(answered - were),
        },
    }


def _lines(days: Sequence[Day], said: str) -> set[tuple[int, int, str]]:
    return {(day.home, day.day, wake.line) for day in days for wake in day.wakes if wake.said == said and wake.line}
