"""What a service manager is told of a running device, by the protocol of sd_notify(3).

The manager names a socket in ``NOTIFY_SOCKET`` and takes datagrams of ``NAME=value`` lines. Without one, or where it
has gone, nothing happens: the device is no less a device for that.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from device.audio import Block
from device.events import Event, Kind

_PER_DEADLINE = 3
"""How often the watchdog is fed within its deadline; sd_watchdog_enabled(3) wants twice at least."""


class Notifier:
    """Tells the manager, as an observer of a device: ready with the first hop that was scored, alive while it hears.

    Ready so means that a microphone gives sound and that a model makes scores of it. The watchdog is fed when samples
    have come, muted or not, and while a microphone that is known to be away is waited for: a new start would not bring
    it back. Where nothing comes and nobody says why, it barks.
    """

    def __init__(
        self, address: str | None, watchdog_s: float | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the socket's address (a path, or a name in the abstract namespace after ``@``) and the deadline."""
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address
        self._every_s = None if watchdog_s is None else watchdog_s / _PER_DEADLINE
        self._now = now
        self._fed = now()
        self._end: int | None = None
        self._ready = self._away = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Notifier:
        """Give one by the variables that the manager set; they must be meant for this process."""
        microseconds = environment.get("WATCHDOG_USEC", "")
        meant = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        deadline_s = int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) and meant else None
        return cls(environment.get("NOTIFY_SOCKET"), deadline_s)

    def tell(self, *lines: str) -> None:
        """Send lines such as ``STATUS=...`` in one datagram."""
        if not self._address:
            return
        # A manager that is gone, or does not listen, must not end the device.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as wire:
            wire.setblocking(False)
            wire.sendto("\n".join(lines).encode(), self._address)

    def note(self, event: Event) -> None:
        """Take an event, in order."""
        if event.kind == Kind.HOP and not self._ready:
            self._ready = True
            self.tell("READY=1", "STATUS=listening")
        elif event.kind == "microphone_gone":
            self._away = True
            self.tell("STATUS=the microphone is away, and waited for")
        elif event.kind == "microphone_back":
            self._away = False
            self.tell("STATUS=listening")
        elif event.kind == Kind.MUTE:
            self.tell("STATUS=" + ("muted, nothing is kept" if event.facts["muted"] else "listening"))
        elif event.kind == Kind.HEARTBEAT:
            hops, wakes = event.facts["hops"], event.facts["wakes"]
            self.tell(f"STATUS=listening; {wakes} wakes in {hops} hops")

    def hear(self, block: Block) -> None:
        """Take a block that the device has taken."""
        advanced = bool(len(block.samples)) and (self._end is None or block.end > self._end)
        if not advanced and not self._away:
            return
        self._end = block.end
        self.feed()

    def feed(self) -> None:
        """Feed the watchdog, unless that was done lately; for a program that does not hear, but works."""
        if self._every_s is not None and self._now() - self._fed >= self._every_s:
            self._fed = self._now()
            self.tell("WATCHDOG=1")

    def reloading(self) -> None:
        """Say that the configuration is being read again; `reloaded` must follow."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def reloaded(self) -> None:
        """Say that this is over; before the first hop there is nothing to be ready again."""
        if self._ready:
            self.tell("READY=1")

    def stopping(self) -> None:
        """Say that the device ends by itself or because it was asked to."""
        self.tell("STOPPING=1", "STATUS=handing over what was heard")
