"""What the tests of the wire and the far end share: clips cut into parts, a recognizer, and a real Mosquitto."""

from __future__ import annotations

import queue
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.cloud.transcript import Transcript
from uplink.keyring import Keyring, introduce
from uplink.message import JSON, Part
from uplink.seal import Seal
from wakeword.sound import encode_flac

DEADLINE_S = 20.0


class Keys:
    """A device and a far end that know each other, made in a folder of their own."""

    def __init__(self, folder: Path, device: str = "dot") -> None:
        self.folder = folder
        self.device_ring = Keyring.of_device(folder, device)
        self.far_end_ring = Keyring.of_far_end(folder / "cloud")
        introduce(self.device_ring, self.far_end_ring)
        self.device, self.far_end = Seal(self.device_ring), Seal(self.far_end_ring)


@cache
def known() -> Keys:
    """Give keys of the device "dot" and a far end that all tests of one run may share."""
    return Keys(Path(tempfile.mkdtemp(prefix="misheard-keys-")))


def noise(length: int, seed: int = 0) -> NDArray[np.int16]:
    """Give int16[length] that no codec can guess."""
    return np.random.default_rng(seed).integers(-8000, 8000, length, dtype=np.int16)


def cut(samples: NDArray[np.int16], size: int, *, device: str = "dot", begin: int = 0) -> list[Part]:
    """Cut a clip that begins at this sample of the stream into parts of at most `size` samples."""
    starts = range(0, len(samples), size)
    clip = f"{device}-20260101t000000z-{begin:012d}"
    return [
        Part(
            device=device,
            clip=clip,
            number=number,
            last=start + size >= len(samples),
            begin=begin + start,
            end=begin + min(start + size, len(samples)),
            facts={"initiator": "wakeword"} if number == 0 else {},
            audio=encode_flac(samples[start : start + size]),
        )
        for number, start in enumerate(starts)
    ]


class Counter:
    """A recognizer that hears how long a clip is."""

    name = "counter"

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        return Transcript(f"{len(samples)} samples", (), self.name)

    def listen(self) -> Whole:
        return Whole(self)


class Whole:
    """Listening for a recognizer that wants its clips whole."""

    def __init__(self, recognizer: Counter) -> None:
        self._recognizer = recognizer
        self._samples = np.zeros(0, np.int16)

    def push(self, samples: NDArray[np.int16]) -> None:
        self._samples = np.concatenate([self._samples, samples])

    def finish(self) -> Transcript:
        return self._recognizer.transcribe(self._samples)

    def close(self) -> None:
        pass


@dataclass
class Diary:
    """Takes (kind, facts) from any thread; tests wait for a kind, with a deadline."""

    entries: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    _news: queue.SimpleQueue[tuple[str, Mapping[str, Any]]] = field(default_factory=queue.SimpleQueue)

    def __call__(self, kind: str, facts: Mapping[str, JSON]) -> None:
        self._news.put((kind, facts))

    def wait(self, *kinds: str, deadline_s: float = DEADLINE_S) -> Mapping[str, Any]:
        """Give the facts of the next entry of one of these kinds; fails at the deadline."""
        end = time.monotonic() + deadline_s
        while True:
            try:
                entry = self._news.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kinds} in {deadline_s} s; there was {self.entries}") from None
            self.entries.append(entry)
            if entry[0] in kinds:
                return entry[1]

    def all(self, kind: str) -> list[Mapping[str, Any]]:
        """Give the facts of every entry of this kind so far."""
        while not self._news.empty():
            self.entries.append(self._news.get())
        return [facts for name, facts in self.entries if name == kind]


def free_port() -> int:
    """Give a port of this machine that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def mosquitto(program: str, folder: Path, port: int, lines: Iterable[str] = ("allow_anonymous true",)) -> Iterator[str]:
    """Run a real Mosquitto on this loopback port with this configuration, and give its URL."""
    config = folder / f"mosquitto-{port}.conf"
    config.write_text("\n".join([f"listener {port} 127.0.0.1", "persistence false", *lines]) + "\n")
    with run_mosquitto(program, config, port):
        yield f"mqtt://127.0.0.1:{port}"


@contextmanager
def run_mosquitto(program: str, config: Path, port: int) -> Iterator[None]:
    """Run a Mosquitto that listens on this loopback port by this configuration; its log is beside that.

    In a file, because a pipe that nobody empties holds the broker up after some hundred connections.
    """
    log = config.with_suffix(".log")
    with log.open("wb") as out, subprocess.Popen([program, "-c", config], stdout=out, stderr=out) as process:
        try:
            _wait_for_port(port, process, log)
            yield
        finally:
            process.terminate()
            process.wait(DEADLINE_S)


def _wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + DEADLINE_S
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            continue
        return
    raise AssertionError(f"mosquitto did not listen: {log.read_text()}")
