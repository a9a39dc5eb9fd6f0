"""What a run came to: in one sentence, and in a few figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.report.outcome import Clips, Message, Outcome, Wakes
from sim.report.wording import count, listing, long, times


@dataclass(frozen=True)
class Figure:
    """A number that is looked at first; `look` is its CSS class."""

    value: str
    label: str
    look: str = ""


@dataclass(frozen=True)
class Total:
    """What all devices of a run came to."""

    devices: int
    wakes: Wakes
    clips: Clips
    messages: tuple[Message, ...] = ()
    deleted: tuple[str, ...] = ()

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Total:
        """Add them up; a message that several devices tell of counts once."""
        wakes, clips = [one.wakes for one in outcomes], [one.clips for one in outcomes]
        known = all(one.all is None for one in wakes)
        messages = {(m.id, m.clip, m.to): m for one in outcomes for m in one.messages}
        return cls(
            len(outcomes),
            Wakes(
                true=sum(one.true for one in wakes) if known else 0,
                false=sum(one.false for one in wakes) if known else 0,
                all=None if known else sum(one.total for one in wakes),
                near_misses=sum(one.near_misses for one in wakes),
            ),
            Clips(
                captured=sum(one.captured for one in clips),
                received=sum(one.received for one in clips),
                uploaded_s=sum(one.uploaded_s for one in clips),
            ),
            tuple(messages.values()),
            tuple(dict.fromkeys(name for one in outcomes for name in one.deleted)),
        )


def sentence(total: Total) -> str:
    """Give the sentence."""
    between = "; " if total.wakes.total or total.clips.captured else ", and "
    return f"{_woke(total)}{between}{_left(total.clips)}{_sent(total.messages)}."


def _woke(total: Total) -> str:
    wakes, several = total.wakes, total.devices > 1
    they, was = ("they", "were") if several else ("it", "was")
    them = "them" if several else "it"
    who = f"The {total.devices} devices" if several else "The device"
    if not wakes.total:
        return f"{who} did not wake"
    woke = f"{who} woke {times(wakes.total)}"
    if wakes.all is not None:
        return f"{woke} (whether it was meant is not known)"
    if not wakes.true:
        return f"{woke} while nobody addressed {them}"
    if not wakes.false:
        return f"{woke}, {'' if wakes.total == 1 else 'each time '}because {they} {was} addressed"
    return f"{woke}, {wakes.false} of them while nobody addressed {them}"


def _sent(messages: Sequence[Message]) -> str:
    """Nothing where no message was sent."""
    if not messages:
        return ""
    to = listing(list(dict.fromkeys(message.to for message in messages)))
    length = long(sum(message.audio_s for message in messages))
    astray = sum(message.misdirected is True for message in messages)
    if len(messages) == 1:
        return f"; {length} of it went to {to} as a message{' that nobody had meant' if astray else ''}"
    meant = f", {astray} of which nobody had meant" if astray else ""
    return f"; {length} of it went to {to} in {len(messages)} messages{meant}"


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


def figures(total: Total, length_s: float, lost_s: float) -> tuple[Figure, ...]:
    """Give the figures of a run of `length_s`, of which `lost_s` were not heard."""
    wakes, clips = total.wakes, total.clips
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
    if total.messages:
        astray = sum(message.misdirected is True for message in total.messages)
        told = "message sent" if len(total.messages) == 1 else "messages sent"
        unmeant = "" if not astray else ", not meant" if astray == len(total.messages) else f", {astray} not meant"
        found.append(Figure(str(len(total.messages)), f"{told}{unmeant}", "bad" if astray else ""))
    if total.deleted:
        found.append(Figure(str(len(total.deleted)), "clip deleted" if len(total.deleted) == 1 else "clips deleted"))
    return (*found, Figure(long(lost_s), "of sound lost", "bad")) if lost_s else tuple(found)
