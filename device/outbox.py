"""From a captured part to the spool, off the audio path: encoding and the disk may take their time here."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from device.errors import DeviceError
from device.events import Event, Kind
from uplink.errors import UplinkError
from uplink.message import Part
from wakeword.sound import encode_flac

_TOGETHER = 32
"""Parts that are handed over at once at most; the first of them waits until the last is encoded."""


class Outbox:
    """Encodes parts and hands them to `submit`, in order, on a thread of its own; it says how many it has kept.

    Those that come while it is at others are handed over together, which costs the wait for the disk once.

    A part that cannot be kept (a disk that is gone, or no longer writable) is held in memory and tried again every
    `retry_s` and with every part that follows; `on_trouble` is told once when that begins. At most `most` are held:
    then the oldest goes, and is named at the end.
    """

    def __init__(
        self,
        device: str,
        submit: Callable[[Sequence[Part]], int],
        on_trouble: Callable[[str], None],
        *,
        retry_s: float = 1.0,
        most: int = 600,
    ) -> None:
        self._device, self._submit, self._on_trouble = device, submit, on_trouble
        self._retry_s, self._most = retry_s, most
        self._incoming: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._held: deque[Part] = deque()
        self._lost: deque[str] = deque(maxlen=10_000)  # the names of those that went
        self._closing = False
        self._trouble: str | None = None
        self._reason = ""  # the newest trouble, also when it is over
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, part: Event) -> None:
        """Take a PART event over; returns at once."""
        self._incoming.put(part)

    def close(self) -> None:
        """Hand over everything; raises DeviceError, naming the parts, where that could not be done."""
        self._incoming.put(None)
        self._thread.join()
        if self._failure is not None:
            raise DeviceError(f"the outbox has ended ({self._failure!r}); please report this bug")
        names = [*self._lost, *map(_name, self._held)]
        if names:
            raise DeviceError(f"{self._reason}; so these were not kept: {', '.join(names)}")

    def _run(self) -> None:
        try:
            while not self._closing:
                self._take()
                self._hand_over()
        except Exception as error:  # told by close(), so that the thread that listens goes on
            self._failure = error
            raise

    def _take(self) -> None:
        """Wait for the next part, or the time to try again; take what else has come."""
        try:
            event = self._incoming.get(timeout=self._retry_s if self._held else None)
            for left in reversed(range(_TOGETHER)):
                if event is None:
                    self._closing = True
                    return
                self._hold(as_part(self._device, event))
                if left:
                    event = self._incoming.get_nowait()
        except queue.Empty:
            pass

    def _hold(self, part: Part) -> None:
        self._held.append(part)
        if len(self._held) > self._most:
            self._lost.append(_name(self._held.popleft()))

    def _hand_over(self) -> None:
        try:
            while self._held:
                for _ in range(self._submit(list(islice(self._held, _TOGETHER)))):
                    self._held.popleft()
            self._trouble = None
        except UplinkError as error:
            if self._trouble is None:
                self._on_trouble(str(error))
            self._trouble = self._reason = str(error)


def _name(part: Part) -> str:
    return f"{part.clip} part {part.number}"


def as_part(device: str, event: Event) -> Part:
    """A PART event as it goes on the wire: its sound as FLAC."""
    assert event.kind == Kind.PART
    assert event.audio is not None
    facts: dict[str, Any] = dict(event.facts)
    return Part(device=device, audio=encode_flac(event.audio) if len(event.audio) else b"", **facts)
