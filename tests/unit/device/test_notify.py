"""What a service manager is told, on real sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from device.audio import Block
from device.events import Event, Kind
from device.notify import Notifier
from wakeword.frames import HOP


class Manager:
    """The other end of the protocol."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        wire.setblocking(False)

    def told(self) -> list[str]:
        """Give the lines that have come since."""
        lines: list[str] = []
        while True:
            try:
                lines += self._wire.recv(4096).decode().split("\n")
            except BlockingIOError:
                return lines


@contextmanager
def listening(address: str) -> Iterator[Manager]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.bind(address)
        yield Manager(wire)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def block(end: int, count: int = HOP) -> Block:
    return Block(end - count, np.zeros(count, np.int16))


HEARD = Event(HOP, Kind.HOP, {"scores": [0.0]})


@pytest.mark.parametrize("abstract", [False, True])
def test_ready_comes_with_the_first_hop_that_was_scored_and_once(tmp_path: Path, abstract: bool) -> None:
    name = f"misheard-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with listening(f"\0{name}" if abstract else name) as manager:
        notifier = Notifier(f"@{name}" if abstract else name)
        notifier.note(Event(0, Kind.LIGHT, {"light": "off"}))
        notifier.hear(block(HOP))
        notifier.reloaded()
        assert manager.told() == []
        notifier.note(HEARD)
        notifier.note(HEARD)
        assert manager.told() == ["READY=1", "STATUS=listening"]
        notifier.note(Event(HOP, Kind.MUTE, {"muted": True}))
        notifier.note(Event(HOP, Kind.HEARTBEAT, {"hops": 9, "wakes": 2}))
        assert manager.told() == ["STATUS=muted, nothing is kept", "STATUS=listening; 2 wakes in 9 hops"]
        notifier.reloading()
        assert manager.told()[0] == "RELOADING=1"
        notifier.reloaded()
        notifier.stopping()
        assert manager.told() == ["READY=1", "STOPPING=1", "STATUS=handing over what was heard"]


def test_the_watchdog_is_fed_while_samples_advance_and_by_nothing_else(tmp_path: Path) -> None:
    clock = Clock()
    with listening(str(tmp_path / "notify")) as manager:
        notifier = Notifier(str(tmp_path / "notify"), watchdog_s=30.0, now=clock)
        for k in range(1, 31):
            clock.seconds = float(k)
            notifier.hear(block(k * HOP))
        assert manager.told() == ["WATCHDOG=1"] * 3
        for _ in range(30):
            clock.seconds += 1.0
            notifier.hear(block(30 * HOP))  # no newer sample
            notifier.hear(block(99 * HOP, 0))  # a loss, and no sample at all
            notifier.note(HEARD)
        assert "WATCHDOG=1" not in manager.told()
        notifier.hear(block(31 * HOP))
        assert manager.told() == ["WATCHDOG=1"]


def test_a_microphone_that_is_waited_for_is_no_reason_to_start_anew(tmp_path: Path) -> None:
    clock = Clock()
    with listening(str(tmp_path / "notify")) as manager:
        notifier = Notifier(str(tmp_path / "notify"), watchdog_s=30.0, now=clock)
        notifier.note(Event(0, "microphone_gone", {"name": "stick", "why": "it is gone"}))
        clock.seconds = 11.0
        notifier.hear(block(99 * HOP, 0))
        assert manager.told() == ["STATUS=the microphone is away, and waited for", "WATCHDOG=1"]
        notifier.note(Event(0, "microphone_back", {"name": "stick", "samples": 1}))
        clock.seconds = 22.0
        notifier.hear(block(99 * HOP, 0))
        assert manager.told() == ["STATUS=listening"]


def test_the_manager_s_variables_are_taken_where_they_are_meant_for_this_process(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    mine = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    with listening(address) as manager:
        for environment, fed in (
            (mine, True),
            ({**mine, "WATCHDOG_PID": "1"}, False),
            ({"NOTIFY_SOCKET": address}, False),
        ):
            notifier = Notifier.of(environment)
            notifier._fed -= 3600
            notifier.hear(block(HOP))
            assert (manager.told() == ["WATCHDOG=1"]) is fed, environment


@pytest.mark.parametrize("address", [None, "", "/nowhere/at/all", "@nobody-listens-here"])
def test_without_a_manager_nothing_happens(address: str | None) -> None:
    Notifier(address, watchdog_s=0.0).hear(block(HOP))
    Notifier(address).note(HEARD)
