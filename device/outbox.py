"""From a captured part to the spool, off the audio path: encoding and the disk may take their time here."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, TypeAlias

from device.errors import DeviceError
from device.events import Event, Kind
from uplink.errors import UplinkError
from uplink.message import Part
from wakeword.sound import encode_flac

_Key: TypeAlias = tuple[str, int]
"""A part: its clip and its number."""

_TOGETHER = 32
"""Parts that are handed over at once at most; the first of them waits until the last is encoded."""


class Outbox:
    """Encodes parts and hands them to `submit`, in order, on a thread of its own; it says how many it has kept.

    Those that come while it is at others are handed over together, which costs the wait for the disk once.

    A part that cannot be kept (a disk that is gone, or no longer writable) is held in memory and tried again every
    `retry_s` and with every part that follows; `on_trouble` is told once when that begins. Meanwhile `carry` gets it
    once, to send it as it is; `received` says that this was enough, `forget` that its clip is not wanted any more. At
    most `most` are held: then the oldest goes, and is named at the end.
    """

    def __init__(
        self,
        device: str,
        submit: Callable[[Sequence[Part]], int],
        on_trouble: Callable[[str], None],
        *,
        carry: Callable[[Sequence[Part]], None] | None = None,
        on_forget: Callable[[str], None] | None = None,
        retry_s: float = 1.0,
        most: int = 600,
    ) -> None:
        self._device, self._submit, self._on_trouble = device, submit, on_trouble
        self._retry_s, self._most = retry_s, most
        self._carry, self._on_forget = carry, on_forget
        self._incoming: queue.SimpleQueue[Event | _Key | str | None] = queue.SimpleQueue()
        self._held: deque[Part] = deque()
        self._carried: set[_Key] = set()  # of those that are held
        self._until_s = 0.0  # once it closes: how long it waits for what was carried
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

    def received(self, clip: str, number: int) -> None:
        """Take the word of the far end that it has a part, which may be held here; returns at once."""
        self._incoming.put((clip, number))

    def forget(self, clip: str) -> None:
        """Let go of what is held of a clip; returns at once. `on_forget` is told behind all that was handed over."""
        self._incoming.put(clip)

    def close(self, patience_s: float = 0.0) -> None:
        """Hand over everything; raises DeviceError, naming the parts, where that could not be done.

        What is carried instead is waited for, so long at most.
        """
        self._until_s = time.monotonic() + patience_s
        self._incoming.put(None)
        self._thread.join()
        if self._failure is not None:
            raise DeviceError(f"the outbox has ended ({self._failure!r}); please report this bug")
        names = [*self._lost, *map(_name, self._held)]
        if names:
            raise DeviceError(f"{self._reason}; so these were not kept: {', '.join(names)}")

    def _run(self) -> None:
        try:
            while not self._closing or (self._carried and time.monotonic() < self._until_s):
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
                if isinstance(event, Event):
                    self._hold(as_part(self._device, event))
                elif isinstance(event, str):
                    self._forget(event)
                else:
                    self._let_go(event)
                if left:
                    event = self._incoming.get_nowait()
        except queue.Empty:
            pass

    def _hold(self, part: Part) -> None:
        self._held.append(part)
        if len(self._held) > self._most:
            gone = self._held.popleft()
            self._lost.append(_name(gone))
            self._carried.discard(_key(gone))

    def _let_go(self, key: _Key) -> None:
        if key in self._carried:
            self._carried.discard(key)
            self._held = deque(part for part in self._held if _key(part) != key)

    def _forget(self, clip: str) -> None:
        self._held = deque(part for part in self._held if part.clip != clip)
        self._carried = {key for key in self._carried if key[0] != clip}
        if self._on_forget is not None:
            self._on_forget(clip)

    def _hand_over(self) -> None:
        try:
            while self._held:
                for _ in range(self._submit(list(islice(self._held, _TOGETHER)))):
                    self._carried.discard(_key(self._held.popleft()))
            self._trouble = None
        except UplinkError as error:
            if self._trouble is None:
                self._on_trouble(str(error))
            self._trouble = self._reason = str(error)
            self._send_as_it_is()

    def _send_as_it_is(self) -> None:
        new = [part for part in self._held if _key(part) not in self._carried]
        if self._carry is not None and new:
            try:
                self._carry(new)
            except UplinkError:  # nobody to seal it to: it is held, and named at the end
                return
            self._carried.update(map(_key, new))


def _key(part: Part) -> _Key:
    return part.clip, part.number


def _name(part: Part) -> str:
    return f"{part.clip} part {part.number}"


def as_part(device: str, event: Event) -> Part:
    """A PART event as it goes on the wire: its sound as FLAC."""
    assert event.kind == Kind.PART
    assert event.audio is not None
    facts: dict[str, Any] = dict(event.facts)
    return Part(device=device, audio=encode_flac(event.audio) if len(event.audio) else b"", **facts)
