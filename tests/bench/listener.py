"""A program that listens to a microphone, and what all of its processes use."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from tests.bench.machine import memory_mb, peak_mb

_READY_S = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Listener:
    """It runs, and `await_ready` waits until it says so as a service does: once its first 80 ms have been scored.

    It says a line for each wake, that begins with `wake`.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], wake: str = "wake") -> None:
        self._wake = wake
        self._folder = tempfile.TemporaryDirectory(prefix="misheard-bench-")
        address = str(Path(self._folder.name) / "notify")
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._wire.bind(address)
        self._wire.settimeout(_READY_S)
        self._errors = Path(self._folder.name) / "errors"
        with self._errors.open("wb") as errors:
            self._began = time.perf_counter()
            self._process = subprocess.Popen(
                command,
                env={**environment, "NOTIFY_SOCKET": address},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.wakes = 0
        """So far."""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def await_ready(self) -> float:
        """Wait until it is; the seconds from nothing to there. Raises RuntimeError where it is not in time."""
        try:
            while b"READY=1" not in self._wire.recv(4096):
                pass
        except TimeoutError:
            raise RuntimeError(f"{self._process.args!r} was not ready: {self._errors.read_text()}") from None
        return time.perf_counter() - self._began

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.wakes += line.startswith(self._wake)

    def cpu_s(self) -> float:
        """Seconds of processor that its processes have had, in the program and for it in the system."""
        return sum(map(_cpu_s, self._processes()))

    def held_mb(self) -> float:
        """Memory that its processes hold now, what they share with others in part (PSS)."""
        return _sum(memory_mb(each, "smaps_rollup", "Pss") for each in self._processes())

    def peak_mb(self) -> float:
        """The most that each of them has been resident with, together."""
        return _sum(peak_mb(each) for each in self._processes())

    def _processes(self) -> list[int]:
        found = [self._process.pid]
        for each in found:  # which grows
            for children in Path(f"/proc/{each}/task").glob("*/children"):
                found += map(int, children.read_text("ascii").split())
        return found

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._wire.close()
        self._folder.cleanup()


def _cpu_s(process: int) -> float:
    """That of a process, and of those of its children that have ended: proc(5), fields 14 to 17."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _sum(many: Iterable[float | None]) -> float:
    return sum(each for each in many if each is not None)
