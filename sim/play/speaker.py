"""A device of a play: its firmware, what it has been ordered to do and when, and who watches it."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from device.audio import Block
from device.events import Event
from device.firmware import Firmware
from device.mute import Hand
from device.runtime import Observer
from device.states import State
from uplink.message import Directive

DUE = "due"
"""The fact of a directive that names the sample of the device's stream at which it takes effect."""


class Speaker:
    """One device. Orders wait until their sample has come; those of one sample are obeyed as they came."""

    def __init__(self, firmware: Firmware, observers: Sequence[Observer]) -> None:
        self.firmware = firmware
        self.name = firmware.settings.name
        self._observers = tuple(observers)
        self._orders: list[tuple[int, int, Directive | bool]] = []
        self._came = 0

    @property
    def quiet(self) -> bool:
        """Whether it waits for nothing and does nothing."""
        return self.firmware.state is State.IDLE and not self._orders

    def order(self, directive: Directive) -> None:
        """Have it obey when the directive is due: now, where it does not say."""
        due = directive.facts.get(DUE)
        at = due if isinstance(due, int) else self.firmware.clock
        self._plan(at, directive)

    def press(self, muted: bool, at: int) -> None:
        """Press its mute button at a sample, so that the microphone is off or on."""
        self._plan(at, muted)

    def _plan(self, at: int, order: Directive | bool) -> None:
        heapq.heappush(self._orders, (at, self._came, order))
        self._came += 1

    def obey(self) -> list[Event]:
        """Do what is due."""
        events: list[Event] = []
        while self._orders and self._orders[0][0] <= self.firmware.clock:
            order = heapq.heappop(self._orders)[2]
            if isinstance(order, bool):
                events += self.firmware.switch(order, Hand.BUTTON)
            else:
                events += self.firmware.obey(order)
        return events

    def hear(self, block: Block) -> list[Event]:
        """Hear the next block of its stream."""
        return self.firmware.hear(block)

    def tell(self, event: Event) -> None:
        """Let everybody who watches know."""
        for observer in self._observers:
            observer(event)
