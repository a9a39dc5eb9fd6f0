"""`misheard device` as a service runs it: a manager's socket, signals, no broker yet, and a log that others read."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.firmware_kit import kitchen
from tests.uplink_kit import free_port
from uplink.keyring import Keyring, introduce
from wakeword.sound import encode_flac

DEADLINE_S = 120.0


class Served:
    """A device's process, what it told its manager, and the lines of its log."""

    def __init__(self, process: subprocess.Popen[str], wire: socket.socket) -> None:
        self.process = process
        self.told: list[str] = []
        self.log: list[str] = []
        self._news = threading.Condition()
        self._wire = wire
        wire.settimeout(0.2)
        self._ended = False
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._read)]
        for thread in self._threads:
            thread.start()

    def _listen(self) -> None:
        while not self._ended:
            try:
                lines = self._wire.recv(4096).decode().split("\n")
            except TimeoutError:
                continue
            with self._news:
                self.told += lines
                self._news.notify_all()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.log.append(line.rstrip("\n"))
                self._news.notify_all()

    def wait_for(self, what: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(what, DEADLINE_S), (self.told, self.log[-5:])

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE_S)
        self._ended = True
        for thread in self._threads:
            thread.join(DEADLINE_S)
        return code


@contextmanager
def served(folder: Path, *more: str) -> Iterator[Served]:
    """Run a device on the kitchen, in real time, with a broker that is not there."""
    sound = folder / "kitchen.flac"
    sound.write_bytes(encode_flac(kitchen().samples))
    introduce(Keyring.of_device(folder / "state", "cupboard"), Keyring.of_far_end(folder / "far-end"))
    command = [
        *(sys.executable, "-m", "sim.main", "device", "--source", str(sound), "--state", str(folder / "state")),
        *("--config", str(folder / "device.yaml"), "--broker", f"mqtt://127.0.0.1:{free_port()}"),
        *("--patient", "--log", "journal", "--out", str(folder / "runs"), *more),
    ]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.bind(str(folder / "notify"))
        environment = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "1500000"}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield Served(process, wire)
            finally:
                process.kill()


def test_a_device_lives_as_its_manager_wants_and_reads_its_configuration_again(tmp_path: Path) -> None:
    config = tmp_path / "device.yaml"
    config.write_text("name: cupboard\nkeep: {run_hours: 24}\n")
    with served(tmp_path) as device:
        device.wait_for(lambda: device.told.count("WATCHDOG=1") >= 2)
        assert device.told[0] == "READY=1"

        config.write_text("name: cupboard\nkeep: {run_hours: 24}\nwake: {threshold: 7}\n")
        device.process.send_signal(signal.SIGHUP)
        device.wait_for(lambda: any("reload_failed" in line for line in device.log))
        (failed,) = [line for line in device.log if "reload_failed" in line]
        assert failed.startswith("<3>reload_failed sample=")
        assert "device.yaml:3: wake.threshold is 7, but should be less than or equal to 1" in failed

        config.write_text("name: cupboard\nkeep: {run_hours: 24}\nwake: {threshold: 0.05}\naudio: {ring_ms: 9000}\n")
        device.process.send_signal(signal.SIGHUP)
        device.wait_for(lambda: any("reloaded" in line for line in device.log))
        (done,) = [line for line in device.log if "reloaded" in line]
        assert "wake.threshold" in done.partition("restart")[0]
        assert "audio.ring_ms" in done.partition("restart")[2]
        device.wait_for(lambda: device.told.count("READY=1") >= 2)
        at = device.told.index("RELOADING=1")
        assert device.told[at + 1].startswith("MONOTONIC_USEC=")

        # With this threshold the kitchen wakes it soon; it is asked to end in the middle of the clip.
        device.wait_for(lambda: any("capture_begin" in line for line in device.log))
        assert device.end() == 0
        assert "STOPPING=1" in device.told
    (run,) = [path for path in (tmp_path / "runs").iterdir() if path.name != "latest"]
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    ends = [event for event in events if event["kind"] == "capture_end"]
    assert ends
    assert (run / "run.json").exists()
    waiting = subprocess.run(
        [
            sys.executable,
            "-m",
            "sim.main",
            "spool",
            "list",
            "--json",
            "--name",
            "cupboard",
            "--state",
            tmp_path / "state",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    clips = json.loads(waiting.stdout)["clips"]
    assert [clip["clip"] for clip in clips] == [event["clip"] for event in ends]
    assert all(clip["closed"] for clip in clips)  # the open clip was kept to its end
