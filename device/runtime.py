"""The firmware alive: blocks from a source and directives from the far end go in, events go to whoever listens."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from device.audio import Block, Pace, Source
from device.config import DeviceSettings
from device.events import Event, Kind
from device.firmware import Firmware
from device.mute import Hand
from device.states import State
from uplink.message import JSON, Directive

Observer = Callable[[Event], None]


class Runtime:
    """Owns the firmware: only the thread in `run` touches it, all others post.

    At pace "fast" the stream is held while the far end thinks, `answer_s` a turn at most, as if it answered at once:
    there is no real time in which it could.
    """

    def __init__(
        self,
        firmware: Firmware,
        source: Source,
        observers: Sequence[Observer],
        *,
        pace: Pace = "real",
        on_block: Callable[[Block], None] | None = None,
        answer_s: float = 60.0,
    ) -> None:
        self._firmware, self._source = firmware, source
        self._observers = observers
        self._pace, self._on_block = pace, on_block
        self._answer_s = answer_s
        self._posted: queue.SimpleQueue[Callable[[], Sequence[Event]] | None] = queue.SimpleQueue()
        self._patient = True
        self._telling = threading.RLock()
        self.stopped = False

    def post(self, directive: Directive) -> None:
        """Have the firmware obey, before the next block; from any thread."""
        self._posted.put(lambda: self._firmware.obey(directive))

    def switch(self, muted: bool | None, by: Hand) -> None:
        """Have the microphone switched off (True), on (False) or the other way by a hand in the home; as `post`."""
        self._posted.put(lambda: self._firmware.switch(muted, by))

    def await_word(self, awaits: bool) -> None:
        """Have a wake word wake, or not; as `post`."""

        def obey() -> Sequence[Event]:
            self._firmware.await_word(awaits)
            return ()

        self._posted.put(obey)

    def adopt(self, settings: DeviceSettings) -> None:
        """Have the firmware go on by other settings, before the next block; from any thread."""
        self._posted.put(lambda: self._firmware.adopt(settings))

    def set_clock(self, zero: datetime) -> None:
        """Have the firmware take another UTC of sample 0, before the next block; from any thread."""
        self._posted.put(lambda: self._firmware.set_clock(zero))

    def tell(self, kind: str, facts: Mapping[str, JSON]) -> None:
        """Add an event of something around the firmware to the stream of events; from any thread."""
        self._give([Event(self._firmware.clock, kind, facts)])

    def stop(self) -> None:
        """Make `run` end soon, an open clip closed; from any thread."""
        self.stopped = True
        self._source.close()
        self._posted.put(None)  # for a run that waits for an answer

    def run(self) -> None:
        """Listen until the source ends. What the source raises comes out after an open clip has been closed."""
        try:
            for block in self._source.blocks():
                self._obey()
                if self._on_block is not None and not self._firmware.muted:
                    self._on_block(block)
                self._give(self._firmware.hear(block))
                if self._pace == "fast":
                    self._hold_for_answer()
        finally:
            self._obey()
            self._give(self._firmware.finish())

    def _obey(self) -> None:
        while not self._posted.empty():
            self._follow(self._posted.get())

    def _hold_for_answer(self) -> None:
        """Wait while the far end thinks; once a turn, as one that is away would hold up every block of it."""
        self._patient = self._patient or self._firmware.state is not State.BUSY
        while self._patient and self._firmware.state is State.BUSY and not self.stopped:
            try:
                self._follow(self._posted.get(timeout=self._answer_s))
            except queue.Empty:
                self._patient = False

    def _follow(self, order: Callable[[], Sequence[Event]] | None) -> None:
        if order is not None:
            self._give(order())

    def _give(self, events: Sequence[Event]) -> None:
        with self._telling:
            for event in events:
                for observer in self._observers:
                    observer(event)


def is_news(event: Event) -> bool:
    """Whether an event is worth a line: not one of the twelve hops a second, nor the sound of a part."""
    return event.kind not in (Kind.HOP, Kind.PART)
