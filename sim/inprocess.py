"""Device and far end without a wire: virtual time, one thread, the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from device.audio import Block, Source
from device.events import Event, Kind
from device.firmware import Firmware
from device.outbox import as_part
from device.runtime import Observer
from sim.cloud.service import Cloud
from uplink.message import JSON, Receipt


def run_in_process(
    firmware: Firmware,
    source: Source,
    cloud: Cloud,
    observers: Sequence[Observer],
    on_block: Callable[[Block], None] | None = None,
) -> None:
    """Let the firmware hear the source; every part reaches the far end at once, and so does every answer the device."""
    wire = _Wire(firmware, cloud, observers)
    for block in source.blocks():
        if on_block is not None and not firmware.muted:
            on_block(block)
        wire.carry(firmware.hear(block))
    wire.carry(firmware.finish())


class _Wire:
    def __init__(self, firmware: Firmware, cloud: Cloud, observers: Sequence[Observer]) -> None:
        self._firmware, self._cloud, self._observers = firmware, cloud, observers

    def carry(self, events: Sequence[Event]) -> None:
        """Give events to everybody, then what they lead to at the device, and so on."""
        while events:
            followed: list[Event] = []
            for event in events:
                self._tell(event)
                if event.kind == Kind.PART:
                    followed += self._send(event)
            for event in events:
                if event.kind == Kind.CAPTURE_END:
                    followed += self._answer(str(event.facts["clip"]))
            events = followed

    def _send(self, event: Event) -> list[Event]:
        followed: list[Event] = []
        for reply in self._cloud.receive(as_part(self._firmware.settings.name, event)):
            if isinstance(reply, Receipt):
                facts: dict[str, JSON] = {"clip": reply.clip, "number": reply.number, "complete": reply.complete}
                self._tell(Event(event.sample, "receipt", facts))
            else:
                followed += self._firmware.obey(reply)
        return followed

    def _answer(self, clip: str) -> list[Event]:
        answer = self._cloud.answer(clip)
        heard = answer.transcript
        self._tell(
            Event(
                self._firmware.clock,
                "transcript",
                {"clip": clip, "text": heard.text, "recognizer": heard.recognizer},
            )
        )
        return [event for directive in answer.directives for event in self._firmware.obey(directive)]

    def _tell(self, event: Event) -> None:
        for observer in self._observers:
            observer(event)
