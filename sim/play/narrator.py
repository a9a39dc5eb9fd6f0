"""Who tells the story of a play: beside each transcript, what was really said while the clip was captured."""

from __future__ import annotations

from collections.abc import Sequence

from device.events import Event, Kind
from device.runtime import Observer
from sim.play.truth import Truth


class Narrator:
    """Passes one device's events on to `observers`, and adds the truth: ``really_said`` (clip, text)."""

    def __init__(self, truth: Truth, observers: Sequence[Observer]) -> None:
        self._truth = truth
        self._observers = observers
        self._clips: dict[str, tuple[int, int]] = {}

    def note(self, event: Event) -> None:
        """Take an event; an observer of a `Speaker`."""
        self._pass(event)
        if event.kind == Kind.CAPTURE_END:
            self._clips[str(event.facts["clip"])] = (int(str(event.facts["begin"])), int(str(event.facts["end"])))
        elif event.kind == "transcript" and event.facts["clip"] in self._clips:
            clip = str(event.facts["clip"])
            self._pass(Event(event.sample, "really_said", {"clip": clip, "text": self._truth.said(*self._clips[clip])}))

    def _pass(self, event: Event) -> None:
        for observer in self._observers:
            observer(event)
