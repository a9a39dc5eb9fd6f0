"""The console: a hundred annotators at once, each over a connection of its own, against the program as it starts."""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from argon2 import PasswordHasher

from sim.cloud.store import ClipStore
from sim.console.access.accounts import Accounts
from sim.console.access.passwords import Passwords
from sim.console.access.sessions import Sessions
from sim.review.options import audit_of
from sim.review.policy import load_policy
from sim.review.sampling import draw
from sim.review.signer import Signer
from tests.bench.effort import Effort
from tests.bench.figure import Figure, Row, latency_rows
from tests.uplink_kit import cut, noise
from uplink.keyring import Keyring
from wakeword.sound import RATE

_SECONDS = 2
"""Of sound in each clip."""
_CUSTOMERS = 20
_COMMAND = [sys.executable, "-c", "import sys; from sim.main import main; sys.exit(main())", "console"]
_PAUSE_S = 0.05
_LABELS = {"transcript": "heard", "addressed": True, "wake_word": False, "kind": "mundane", "language": "en"}
_PEER = "a static file of the same server"


def rows(effort: Effort) -> Iterator[Row]:
    """Measure what each request takes, at the pace of people in a hurry and as fast as it goes."""
    with tempfile.TemporaryDirectory(prefix="misheard-bench-") as name:
        folder = Path(name)
        crowd = _prepare(folder / "store", effort.annotators, 2 * effort.annotated)
        with _console(folder) as url:
            for told, clip_s in (("a clip in 10.8 s", effort.annotating_s), ("no pause", 0.0)):
                yield from _rows(url, crowd, effort.annotated, clip_s, told)


def _prepare(folder: Path, annotators: int, clips: int) -> list[str]:
    """Make a store with a task for each annotator and clip; gives the annotators' session tokens."""
    store = ClipStore(folder)
    try:
        sound = noise(_SECONDS * RATE)
        for number in range(annotators * clips):
            device = f"dot-{number % _CUSTOMERS}"
            first, *rest = cut(sound, RATE, device=device, begin=number * len(sound))
            store.add_all([replace(first, facts={"initiator": "wakeword", "word": "alexa", "score": 0.9}), *rest])
        audit = audit_of(store, Signer.of(Keyring.of_far_end(folder)))
        draw(store, load_policy("2019-april", [("rate", "1.0")]), 1, audit, _now)
        accounts = Accounts(store, Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)), _now)
        sessions = Sessions(store.database, _now)
        names = [f"annotator-{number}" for number in range(annotators)]
        for name in names:
            accounts.add(name, "annotator", "nobody asks for it")
        return [sessions.begin(name) for name in names]
    finally:
        store.close()


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _console(folder: Path) -> Iterator[str]:
    """`misheard console` as a program of its own; gives its address."""
    command = [*_COMMAND, "--store", str(folder / "store"), "--port", "0", "--set", "rate=1.0"]
    home = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=home) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[0]
        finally:
            process.terminate()


@dataclass
class _Measured:
    """Milliseconds of each kind of request, of everybody."""

    ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, ms: float) -> None:
        with self.lock:
            self.ms[kind].append(ms)


class _Annotator:
    """A browser's requests of somebody who works at the desk."""

    def __init__(self, url: str, token: str, measured: _Measured) -> None:
        self._line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._measured = measured
        self._headers = {"cookie": f"misheard={token}", "origin": url, "accept": "application/json"}
        page = self._ask("page", "GET", "/desk").decode()
        self._headers["x-csrf-token"] = page.partition('name="csrf" content="')[2][:64]

    def work(self, clips: int, clip_s: float, chance: random.Random) -> int:
        """Annotate clips, each in so many seconds; gives how many there were."""
        done = 0
        begin = time.monotonic() + chance.uniform(0, clip_s)
        for number in range(clips):
            time.sleep(max(0.0, begin + number * clip_s - time.monotonic()))
            task = self._say("next task", "/desk/next")["task"]
            if task is None:
                break
            sound = self._ask("sound", "GET", f"/desk/{task['id']}/sound")
            assert len(sound) == 44 + 2 * task["samples"]
            self._say("submit", f"/desk/{task['id']}/submit", **_LABELS, speakers=1, seconds=1.0)
            done += 1
        self._line.close()
        return done

    def _say(self, kind: str, path: str, /, **fields: object) -> Any:
        return json.loads(self._ask(kind, "POST", path, json.dumps(fields).encode()))

    def _ask(self, kind: str, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {**self._headers, **({"content-type": "application/json"} if body else {})}
        began = time.perf_counter()
        self._line.request(method, path, body, headers)
        answer = self._line.getresponse()
        content = answer.read()
        self._measured.add(kind, 1e3 * (time.perf_counter() - began))
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}: {content[:200]!r}")
        return content


def _rows(url: str, tokens: list[str], clips: int, clip_s: float, told: str) -> Iterator[Row]:
    measured, ended = _Measured(), threading.Event()
    with ThreadPoolExecutor(len(tokens) + 1) as pool:
        crowd = [_Annotator(url, token, measured) for token in tokens]
        bare = pool.submit(_bare, url, ended)
        began = time.monotonic()
        try:
            done = sum(pool.map(lambda pair: pair[1].work(clips, clip_s, random.Random(pair[0])), enumerate(crowd)))
        finally:
            took = time.monotonic() - began
            ended.set()
        theirs = Figure(tuple(bare.result()))
    pace = f"{done:,} clips in {took:.0f} s, {done / took:.0f} a second; as reported {len(tokens) / 32.4:.1f} a second"
    found: Mapping[str, list[float]] = measured.ms
    for kind in ("next task", "sound", "submit"):
        what = f"console, {len(tokens)} people, {told}, {kind}"
        yield from latency_rows(what, Figure(tuple(found[kind])), _PEER, theirs, pace if kind == "next task" else "")


def _bare(url: str, ended: threading.Event) -> list[float]:
    """Ask for a static file, over and over, beside the others."""
    line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    took: list[float] = []
    while not ended.wait(_PAUSE_S) or not took:
        began = time.perf_counter()
        line.request("GET", "/static/icon.svg")
        line.getresponse().read()
        took.append(1e3 * (time.perf_counter() - began))
    line.close()
    return took
