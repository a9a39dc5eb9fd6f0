"""The events of a device as lines for a log that many programs share: one line each, and nothing that anybody said.

A line is ``<priority>kind name=value ...``; systemd takes the priority off again and files the line under it. Texts,
names and sounds never get there: a log is read by more people, and kept longer, than a recording.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TextIO

from device.events import Event, Kind
from device.runtime import is_news
from uplink.message import JSON

ERROR, WARNING, NOTICE, INFO, DEBUG = 3, 4, 5, 6, 7
"""The priorities of syslog(3)."""

_PRIORITY: Mapping[str, int] = {
    "spool_error": ERROR,
    "reload_failed": ERROR,
    "unanswered": ERROR,
    Kind.AUDIO_LOST: WARNING,
    Kind.THINKING_TIMED_OUT: WARNING,
    Kind.DIRECTIVE_REFUSED: WARNING,
    "disconnected": WARNING,
    "dropped": WARNING,
    "spool_rescued": WARNING,
    "refused": WARNING,
    "rejected": WARNING,
    "unheard": WARNING,
    "store_away": WARNING,
    "room_failed": WARNING,
    "room_made": NOTICE,
    "microphone_gone": WARNING,
    "microphone_refused": WARNING,
    Kind.WAKE: NOTICE,
    Kind.MUTE: NOTICE,
    Kind.CLOCK_SET: NOTICE,
    "reloaded": NOTICE,
    "microphone_back": NOTICE,
    "part_sent": DEBUG,
    "stored": DEBUG,
    "event": DEBUG,
    "status": DEBUG,
    Kind.STATE: DEBUG,
    Kind.EARCON: DEBUG,
}
_WORDS = frozenset(
    (
        *("clip", "reason", "why", "word", "cause", "light", "kind", "initiator", "state", "verifier", "recognizer"),
        *("zero", "was", "changed", "restart", "runs", "topic", "sound", "utc", "aside", "turn", "folder", "advice"),
    )
)
"""Facts whose words may be shown; of all others only numbers, yes and no."""


def told(facts: Mapping[str, JSON]) -> dict[str, JSON]:
    """What of an event's facts may stand in a log."""
    return {
        name: value
        for name, value in facts.items()
        if isinstance(value, bool | int | float) or (name in _WORDS and isinstance(value, str | list))
    }


def line_of(kind: str, facts: Mapping[str, JSON]) -> str:
    """Give the line of an event, without its end."""
    words = " ".join(f"{name}={_value(value)}" for name, value in told(facts).items())
    return f"<{_PRIORITY.get(kind, INFO)}>{kind} {words}".rstrip()


def _value(value: JSON) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    plain = text and text.isprintable() and not set(text) & set(' "=\\')
    return text if plain else json.dumps(text, ensure_ascii=False)


class JournalLog:
    """An observer of `device.runtime.Runtime` that writes each event worth a line."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def note(self, event: Event) -> None:
        """Take an event, in order."""
        if is_news(event):
            self.say(event.kind, {"sample": event.sample, **event.facts})

    def say(self, kind: str, facts: Mapping[str, JSON]) -> None:
        """Write a line at once; a log that cannot be written is nobody's loss."""
        try:
            self._out.write(line_of(kind, facts) + "\n")
            self._out.flush()
        except OSError:
            return
