"""Whole programs: how long until they listen, and how much memory they hold while they do."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from device.config import load_device
from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from tests.bench.effort import Effort
from tests.bench.figure import Figure, Row, in_turn
from tests.bench.kitchen import kitchen, repeated
from tests.bench.machine import resident_mb
from tests.bench.peers import LISTENS, STARTED, program
from tests.uplink_kit import Counter, Keys
from uplink.broker import EmbeddedBroker
from wakeword.sound import encode_flac

COMMAND = [sys.executable, "-c", "import sys; from sim.main import main; sys.exit(main())", "device"]
"""`misheard device`, by this very Python."""

_END_S = 60.0


def rows(effort: Effort) -> Iterator[Row]:
    """Measure start-up and resident memory."""
    with tempfile.TemporaryDirectory(prefix="misheard-bench-") as name, far_end(Path(name)) as url:
        yield from _start_up(effort, Path(name), url)
        yield _memory(effort, Path(name), url)


@contextmanager
def far_end(folder: Path) -> Iterator[str]:
    """A far end on an embedded broker in this process, for the device of ``state`` beside it; gives the URL."""
    with EmbeddedBroker() as broker, far_end_on(broker.url, folder / "state"):
        yield broker.url


@contextmanager
def far_end_on(url: str, state: Path) -> Iterator[None]:
    """A far end on this broker, whose recognizer costs nothing, for the device with this state directory."""
    seal = Keys(state, load_device().name).far_end
    store = ClipStore(state / "cloud")
    try:
        with FarEnd(Cloud(store, Counter()), url, seal, on_event=lambda _kind, _facts: None):
            yield
    finally:
        store.close()


def _start_up(effort: Effort, folder: Path, url: str) -> Iterator[Row]:
    sound = folder / "kitchen.flac"
    sound.write_bytes(encode_flac(kitchen()))
    alone = [*COMMAND, "--source", str(sound), "--state", str(folder / "state"), "--broker", url]
    whole = [*COMMAND, "--source", str(sound), "--state", str(folder / "whole")]
    warm = {"XDG_CACHE_HOME": str(folder / "cache")}

    def first() -> float:
        with tempfile.TemporaryDirectory(dir=folder) as cache:
            return _seconds_to_listen(alone, {"XDG_CACHE_HOME": cache})

    took = in_turn(
        effort.starts,
        effort.warm_up,
        {
            "alone": lambda: _seconds_to_listen(alone, warm),
            "theirs": lambda: _seconds_to_listen(program(STARTED), {}),
            "whole": lambda: _seconds_to_listen(whole, warm),
            "first": first,
        },
    )
    for what, remark in (
        ("alone", "the broker is elsewhere"),
        ("first", "the same with an empty cache: the graphs are derived"),
        ("whole", "with broker, far end and recognizer inside"),
    ):
        yield _start_row(took[what], took["theirs"], remark)


def _start_row(ours: Figure, theirs: Figure, remark: str) -> Row:
    peer = "openwakeword, a Model made"
    return Row("start of `misheard device` to listening", "s", ours, peer, theirs, theirs.over(ours), remark=remark)


def _seconds_to_listen(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Time from nothing to the line that says that it listens."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            if not any(line.startswith("listening") for line in process.stdout):
                process.kill()
                raise RuntimeError(f"{command[2]} has not listened: {process.communicate()[1]}")
            return time.perf_counter() - began
        finally:
            process.kill()


def _memory(effort: Effort, folder: Path, url: str) -> Row:
    what, peer = "memory of the listening device", "openwakeword predict"
    if resident_mb(os.getpid()) is None:
        return Row(what, peer=peer, remark="skipped: this system has no /proc")
    sound = repeated(effort.speech_s).tobytes()
    ours = [*COMMAND, "--source", "-", "--state", str(folder / "state"), "--broker", url]
    mine = Figure((_memory_after(ours, sound),))
    theirs = Figure((_memory_after(program(LISTENS), sound),))
    return Row(
        what,
        "MB",
        mine,
        peer,
        theirs,
        theirs.over(mine),
        aim="under 150 MB",
        remark=f"resident after {effort.speech_s} s of speech with wakes, captures and uploads",
    )


def _memory_after(command: Sequence[str], sound: bytes) -> float:
    """Let a program hear this and see what it holds then; all but the pipe's own buffer, 2 s, has been heard."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(sound)
            process.stdin.flush()
            held = resident_mb(process.pid)
            process.stdin.close()
            if process.wait(_END_S) or held is None:
                raise RuntimeError(f"{command[2]} ended with exit code {process.returncode}")
            return held
        finally:
            process.kill()
