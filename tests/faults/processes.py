"""Devices, far ends and brokers as processes that are started, watched and killed."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from tests.faults.device_process import Orders
from tests.uplink_kit import free_port
from uplink.keyring import Keyring, introduce

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60.0
"""Nothing here may take longer; what does, hangs."""

BrokerKind: TypeAlias = Literal["mosquitto", "mosquitto, persistent", "embedded"]


def wait_until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait until it holds; fails at the deadline, and says for what it waited."""
    end = time.monotonic() + deadline_s
    bell = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {deadline_s:g} s"
        bell.wait(0.01)


class Running:
    """A process, and the lines that it has printed."""

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        self._log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,
            )
        self.lines: list[str] = []
        self._news: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._news.put(line.decode().strip())
        self._news.put(None)

    def wait_for(self, word: str, deadline_s: float = DEADLINE_S) -> None:
        """Wait for a line that has this word; fails where the process ends first, or at the deadline."""
        end = time.monotonic() + deadline_s
        while True:
            try:
                line = self._news.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{word!r}: not within {deadline_s:g} s; {self.told}") from None
            assert line is not None, f"{word!r}: the process has ended; {self.told}"
            self.lines.append(line)
            if word in line:
                return

    @property
    def told(self) -> str:
        """What it said last, and what went wrong in it."""
        return f"it said {self.lines[-3:]}, and {self._log.read_text('utf-8')[-2000:]!r}"

    def survive(self, seconds: float) -> None:
        """Let it work for a moment; fails where it ends by itself."""
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(seconds)
            raise AssertionError(f"it has ended by itself with {code}; {self.told}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def say(self, line: str) -> None:
        """Give it a line to read."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def kill(self) -> None:
        """Kill it and all that it has started with SIGKILL, from which nothing saves."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()

    def finish(self, deadline_s: float = DEADLINE_S) -> int:
        """Wait until it ends by itself; gives its exit code."""
        try:
            code = self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it has not ended within {deadline_s:g} s; {self.told}") from None
        self.kill()
        return code


@dataclass
class Scene:
    """One folder with a store, the states of devices and their ledgers, and one broker's port; a context manager."""

    folder: Path
    mosquitto: str
    broker_kind: BrokerKind = "mosquitto"
    broker_lines: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    link_port: int = 0
    """Where devices find the broker: a proxy's port, or else the broker's own."""
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def store(self) -> Path:
        return self.folder / "cloud"

    def state(self, owner: str = "home") -> Path:
        """Where a device keeps what must survive."""
        return self.folder / owner

    def ledger(self, owner: str = "home") -> Path:
        return self.folder / f"{owner}.ledger"

    def know(self, device: str = "dot", owner: str = "home") -> None:
        """Let the far end and a device know each other, where they do not."""
        introduce(Keyring.of_device(self.state(owner), device), Keyring.of_far_end(self.store))

    def start(self, command: Sequence[str | Path], name: str) -> Running:
        """Start a process, which is killed at the end if it still runs."""
        running = Running(command, self.folder / f"{name}.log")
        self._stack.callback(running.kill)
        return running

    def broker(self) -> Running:
        """Start the broker, on the same port each time; it listens when this returns."""
        if self.broker_kind == "embedded":
            command: list[str | Path] = [sys.executable, "-m", "tests.faults.broker_process", str(self.port)]
        else:
            config = self.folder / "mosquitto.conf"
            lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", *self.broker_lines]
            if self.broker_kind == "mosquitto, persistent":
                lines += ["persistence true", f"persistence_location {self.folder}/", "autosave_interval 1"]
            config.write_text("\n".join(lines) + "\n", "utf-8")
            command = [self.mosquitto, "-c", config]
        running = self.start(command, "broker")

        def ready() -> bool:
            running.survive(0)
            return _listens(self.port)

        wait_until(ready, "the broker listens")
        return running

    def far_end(self, *, port: int = 0, share: str | None = None) -> Running:
        """Start a far end, or one that shares the work; on another port where a proxy is between."""
        return self.start(self.far_end_command(port=port, share=share), "far-end")

    def far_end_command(self, *, port: int = 0, share: str | None = None) -> list[str]:
        """Give the command that runs a far end; it says "connected", "complete", and what it refuses."""
        url = f"mqtt://127.0.0.1:{port or self.port}"
        command = [sys.executable, "-m", "tests.faults.far_end_process", str(self.store), url]
        return command if share is None else [*command, share]

    def orders(self, life: int, *, device: str = "dot", owner: str = "home", **more: float | bool) -> Orders:
        """Give what a device's process is to do; see `Orders`."""
        return Orders(
            state=str(self.state(owner)),
            ledger=str(self.ledger(owner)),
            url=f"mqtt://127.0.0.1:{self.link_port or self.port}",
            device=device,
            life=life,
            **more,  # type: ignore[arg-type]
        )

    def device(self, life: int, *, device: str = "dot", owner: str = "home", **more: float | bool) -> Running:
        """Start a device."""
        return self.start(device_command(self.orders(life, device=device, owner=owner, **more)), owner)

    def drain(self, life: int, *, device: str = "dot", owner: str = "home", deadline_s: float = DEADLINE_S) -> None:
        """Start a device that submits nothing more, and let it bring home what waits; fails at the deadline."""
        last = self.device(life, device=device, owner=owner, clips=0, drain_s=deadline_s)
        last.wait_for("done", deadline_s + 10)
        assert last.finish() == 0


def _listens(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def device_command(orders: Orders) -> list[str]:
    """Give the command that runs a device by these orders."""
    return [sys.executable, "-m", "tests.faults.device_process", json.dumps(asdict(orders))]
