"""What is done at once: the time, timers, the volume, silence, and deletions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sim.cloud.answer import Fact
from sim.cloud.interaction import Prompts, Request
from sim.cloud.turn import LOUDEST, Deletion, Heard, Reach, Situation, Turn
from sim.cloud.understanding import Match
from uplink.message import JSON

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600}


def carry_out(
    match: Match[Request], situation: Situation, heard: Heard, prompts: Prompts, reaches: tuple[Reach, ...]
) -> Turn:
    """Do what was asked for, other than to send a message."""
    if match.intent == "delete_last":
        deletion = Deletion(heard.clip, heard.device, "last", heard.at, reaches)
        return Turn(situation, says=prompts.deleted_last, deletion=deletion)
    if match.intent == "delete_today":
        deletion = Deletion(heard.clip, heard.device, "today", heard.at, reaches)
        return Turn(situation, says=prompts.deleted_today, deletion=deletion)
    return _DO[match.intent](match, situation, heard, prompts)


def clock(at: datetime) -> str:
    """A time of day as it is said: ``6:42 PM``."""
    return f"{at.hour % 12 or 12}:{at.minute:02d} {'AM' if at.hour < 12 else 'PM'}"


def _stop(match: Match[Request], situation: Situation, heard: Heard, _prompts: Prompts) -> Turn:
    return Turn(situation, (_action(heard, match.intent, None),))


def _time(match: Match[Request], situation: Situation, heard: Heard, prompts: Prompts) -> Turn:
    return Turn(
        situation, (_action(heard, match.intent, heard.at.isoformat()),), prompts.time.format(time=clock(heard.at))
    )


def _timer(match: Match[Request], situation: Situation, heard: Heard, prompts: Prompts) -> Turn:
    seconds = sum(match.slots.get(unit, 0) * factor for unit, factor in _SECONDS.items())
    return Turn(situation, (_action(heard, match.intent, seconds),), prompts.timer)


def _volume(match: Match[Request], situation: Situation, heard: Heard, prompts: Prompts) -> Turn:
    wanted = match.slots.get("level", situation.volume + match.slots.get("step", 0))
    level = max(0, min(LOUDEST, wanted))
    return Turn(situation.to(volume=level), (_action(heard, match.intent, level),), prompts.volume.format(level=level))


_DO: Mapping[Request, Callable[[Match[Request], Situation, Heard, Prompts], Turn]] = {
    "stop": _stop,
    "cancel": _stop,
    "time": _time,
    "timer": _timer,
    "volume": _volume,
}


def _action(heard: Heard, name: str, value: JSON) -> Fact:
    return Fact("action", {"clip": heard.clip, "name": name, "value": value})
