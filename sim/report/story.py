"""What a run came to: in one sentence, and in a few figures."""

from __future__ import annotations

from dataclasses import dataclass

from sim.report.outcome import Clips, Wakes
from sim.report.wording import count, long, times


@dataclass(frozen=True)
class Figure:
    """A number that is looked at first; `look` is its CSS class."""

    value: str
    label: str
    look: str = ""


def sentence(wakes: Wakes, clips: Clips) -> str:
    """Give the sentence."""
    between = "; " if wakes.total or clips.captured else ", and "
    return f"{_woke(wakes)}{between}{_left(clips)}."


def _woke(wakes: Wakes) -> str:
    if not wakes.total:
        return "The device did not wake"
    woke = f"The device woke {times(wakes.total)}"
    if wakes.all is not None:
        return f"{woke} (whether it was meant is not known)"
    if not wakes.true:
        return f"{woke} while nobody addressed it"
    if not wakes.false:
        return f"{woke}, {'' if wakes.total == 1 else 'each time '}because it was addressed"
    return f"{woke}, {wakes.false} of them while nobody addressed it"


def _left(clips: Clips) -> str:
    if not clips.captured:
        return "no sound left the home"
    fate = "left the home" if clips.received == clips.captured else "was recorded for the far end"
    sound = f"{long(clips.uploaded_s)} of sound {fate} in {count(clips.captured, 'clip')}"
    if clips.captured == 1:
        return f"{sound}, which the far end {'received' if clips.received else 'has not received'}"
    every = "both" if clips.captured == 2 else "all of them"
    arrived = {0: "none of them", clips.captured: every}.get(clips.received, f"{clips.received} of them")
    return f"{sound}, {arrived} received by the far end"


def figures(wakes: Wakes, clips: Clips, length_s: float, lost_s: float) -> tuple[Figure, ...]:
    """Give the figures of a run of `length_s`, of which `lost_s` were not heard."""
    woke = [Figure(str(wakes.total), "wake" if wakes.total == 1 else "wakes", "wake" if wakes.total else "")]
    if wakes.all is None:
        woke = [
            Figure(str(wakes.false), "false wake" if wakes.false == 1 else "false wakes", "bad" if wakes.false else ""),
            Figure(str(wakes.true), "true wake" if wakes.true == 1 else "true wakes"),
        ]
    missing = clips.received < clips.captured
    went = "for the far end" if missing else "left the home"
    found = [
        *woke,
        Figure(str(wakes.near_misses), "near miss" if wakes.near_misses == 1 else "near misses"),
        Figure(long(clips.uploaded_s), f"{went}, of {long(length_s)}", "left" * bool(clips.captured)),
        Figure(f"{clips.received} of {clips.captured}", "clips received", "bad" if missing else ""),
    ]
    return (*found, Figure(long(lost_s), "of sound lost", "bad")) if lost_s else tuple(found)
