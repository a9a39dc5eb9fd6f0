"""Who tells the story of a scenario: what was said as it is said, and beside each transcript what was really said."""

from __future__ import annotations

from collections.abc import Sequence

from device.events import Event, Kind
from device.runtime import Observer
from sim.home.mixer import SpokenLine


class Narrator:
    """Passes events on to `observers`, and adds the truth: ``said`` (who, text) and ``really_said`` (clip, text)."""

    def __init__(self, truth: Sequence[SpokenLine], observers: Sequence[Observer]) -> None:
        self._truth = tuple(truth)
        self._to_come = sorted(truth, key=lambda line: line.begin)
        self._observers = observers
        self._clips: dict[str, tuple[int, int]] = {}

    def note(self, event: Event) -> None:
        """Take an event; an observer of `device.runtime.Runtime`."""
        while event.kind == Kind.HOP and self._to_come and self._to_come[0].begin <= event.sample:
            line = self._to_come.pop(0)
            self._pass(Event(line.begin, "said", {"who": line.who, "text": line.text}))
        self._pass(event)
        if event.kind == Kind.CAPTURE_END:
            self._clips[str(event.facts["clip"])] = (int(str(event.facts["begin"])), int(str(event.facts["end"])))
        elif event.kind == "transcript" and event.facts["clip"] in self._clips:
            clip = str(event.facts["clip"])
            self._pass(Event(event.sample, "really_said", {"clip": clip, "text": self.said(*self._clips[clip])}))

    def said(self, begin: int, end: int) -> str:
        """What was said between two samples, line by line; a line of which only a part lies there has an ellipsis."""
        inside = [line for line in self._truth if line.begin < end and begin < line.end]
        return " ".join(
            f"{'… ' if line.begin < begin else ''}{line.text}{' …' if line.end > end else ''}" for line in inside
        )

    def _pass(self, event: Event) -> None:
        for observer in self._observers:
            observer(event)
