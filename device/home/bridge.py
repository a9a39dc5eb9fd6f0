"""Between a device and the broker of its home: dialects are told what happens, and what they hear there is obeyed.

An observer that never holds up the sound: it takes a note and returns, and what does not fit is counted.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from device.audio import Block
from device.events import Event
from device.home.dialect import Answer, AwaitWord, Dialect, Post, Press
from device.mute import Hand
from device.orders import Refused
from uplink.address import Access
from uplink.link import Link
from uplink.message import JSON, Directive
from uplink.profiles import Pacer

_ROOM = 256
"""Events, blocks of sound and messages that may wait."""
_MESSAGES_PER_S = 100
_ALWAYS_TOLD = 3
"""Refusals that are told one by one; of more, each that doubles their number."""


class Device(Protocol):
    """What a home may do with a device; `device.runtime.Runtime` is one."""

    def post(self, directive: Directive) -> None:
        """Have it obey."""
        ...

    def switch(self, muted: bool | None, by: Hand) -> None:
        """Have its microphone off or on."""
        ...

    def await_word(self, awaits: bool) -> None:
        """Have a wake word wake it, or not."""
        ...

    def tell(self, kind: str, facts: Mapping[str, JSON]) -> None:
        """Add an event to what happens."""
        ...


class Bridge:
    """Told of events by `note`, and of sound by `hear`, from any thread; all else runs on a thread of its own.

    Facts: ``home_connected`` (unsaid: moments that passed meanwhile), ``home_disconnected`` (reason), ``home_refused``
    (topic, why, count), ``home_rejected`` (topic, reason), ``home_dropped`` (count), ``home_failed`` (why).
    """

    def __init__(
        self,
        url: str,
        name: str,
        dialects: Sequence[Dialect],
        *,
        access: Access,
        clock: Callable[[], float] = time.monotonic,
        room: int = _ROOM,
    ) -> None:
        """Prepare, without connecting; raises AddressError for a broker that cannot be."""
        self._dialects, self._clock, self._room = dialects, clock, room
        self._kinds = frozenset[str]().union(*(dialect.kinds for dialect in dialects))
        self.hears = any(dialect.hears for dialect in dialects)
        self._posts: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._counting = threading.Lock()
        self._dropped = 0
        # Only the bridge's own thread touches these.
        self._up = False
        self._unsaid = 0
        self._refused: Counter[str] = Counter()
        self._pacer = Pacer(_MESSAGES_PER_S)
        self._device: Device | None = None
        self._link = Link(
            url,
            f"misheard-{name}-home",
            topics=sorted({topic for dialect in dialects for topic in dialect.topics}),
            on_message=lambda topic, payload: self._offer(lambda: self._receive(topic, payload)),
            on_up=lambda: self._posts.put(self._rise),
            on_down=lambda reason: self._posts.put(lambda: self._fall(reason)),
            on_notice=lambda kind, facts: self._offer(lambda: self._notice(kind, facts)),
            will=next((dialect.will for dialect in dialects if dialect.will is not None), None),
            access=access,
            clock=clock,
        )
        self._thread = threading.Thread(target=self._run, name="home", daemon=True)

    def start(self, device: Device) -> None:
        """Begin to connect, and keep at it; a broker that is not there holds up nothing."""
        self._device = device
        self._link.open()
        self._thread.start()

    def note(self, event: Event) -> None:
        """Take an event; returns at once."""
        if event.kind in self._kinds:
            self._offer(lambda: self._tell(event))

    def hear(self, block: Block) -> None:
        """Take what the microphone heard; returns at once."""
        if self.hears:
            self._offer(lambda: self._hear(block))

    def close(self) -> None:
        """Say goodbye, and end."""
        self._posts.put(None)
        if self._thread.is_alive():
            self._thread.join()
        self._link.close()

    def _offer(self, post: Callable[[], None]) -> None:
        """Take what may be lost where there is no room for it."""
        if self._posts.qsize() < self._room:
            self._posts.put(post)
            return
        with self._counting:
            self._dropped += 1

    # From here on, everything runs on the bridge's own thread.

    def _run(self) -> None:
        try:
            while (post := self._posts.get()) is not None:
                post()
                if self._dropped and self._posts.empty():
                    with self._counting:
                        count, self._dropped = self._dropped, 0
                    self._say("home_dropped", {"count": count})
            for dialect in self._dialects:
                self._answer(dialect.part())
        except Exception as error:  # noqa: BLE001 - the device goes on without its home, whatever is wrong here
            self._say("home_failed", {"why": repr(error)})

    def _say(self, kind: str, facts: Mapping[str, JSON]) -> None:
        assert self._device is not None
        self._device.tell(kind, facts)

    def _rise(self) -> None:
        self._up = True
        unsaid, self._unsaid = self._unsaid, 0
        self._say("home_connected", {"unsaid": unsaid})
        for dialect in self._dialects:
            self._answer(dialect.greet())

    def _fall(self, reason: str) -> None:
        self._up = False
        for dialect in self._dialects:
            self._answer(dialect.part())
        self._say("home_disconnected", {"reason": reason})

    def _notice(self, kind: str, facts: Mapping[str, JSON]) -> None:
        if kind == "rejected":  # that nobody listens is no trouble
            self._say("home_rejected", facts)

    def _tell(self, event: Event) -> None:
        for dialect in self._dialects:
            if event.kind in dialect.kinds:
                self._answer(dialect.tell(event))

    def _hear(self, block: Block) -> None:
        for dialect in self._dialects:
            if dialect.hears:
                self._answer(dialect.hear(block))

    def _receive(self, topic: str, payload: bytes) -> None:
        for dialect in self._dialects:
            if topic in dialect.topics:
                try:
                    self._pace()
                    answers = dialect.obey(topic, payload)
                except Refused as refused:
                    self._refuse(topic, str(refused))
                else:
                    self._answer(answers)

    def _pace(self) -> None:
        now = self._clock()
        if self._pacer.wait_s(now) > 0:
            raise Refused(f"there are more than {_MESSAGES_PER_S} in a second")
        self._pacer.take(now)

    def _refuse(self, topic: str, why: str) -> None:
        self._refused[topic] = count = self._refused[topic] + 1
        if count <= _ALWAYS_TOLD or count & (count - 1) == 0:
            self._say("home_refused", {"topic": topic, "why": why, "count": count})

    def _answer(self, answers: Sequence[Answer]) -> None:
        assert self._device is not None
        for answer in answers:
            match answer:
                case Post(topic, payload, retained, qos):
                    said = self._up and self._link.publish(topic, payload, qos=qos, retain=retained)
                    self._unsaid += not (said or retained)
                case Press(muted):
                    self._device.switch(muted, Hand.HOME)
                case AwaitWord(awaits):
                    self._device.await_word(awaits)
                case Directive():
                    self._device.post(answer)
