"""``python -m tests.bench.sending URL STATE SOUNDS DEVICE``: the uplink of a device, without ears."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from tests.bench.wire import ACCESS, PARTS, clip, sounds
from tests.bench.worker import serve
from uplink.envelope import digest_of
from uplink.keyring import Keyring
from uplink.message import JSON, Part, encode_part
from uplink.seal import Seal
from uplink.sender import Sender
from uplink.spool import Deposit, Spool

_DEADLINE_S = 120.0
_TOGETHER = 32
"""Parts handed over at once, as the device's outbox does."""


class _Device:
    def __init__(self, url: str, state: Path, audio: list[bytes], name: str) -> None:
        self._url, self._audio, self._name = url, audio, name
        self._seal = Seal(Keyring.of_device(state, name))
        self._spool = Spool(state / name / "spool.sqlite")
        self._sender: Sender | None = None
        self._numbers = count()
        self._news = threading.Condition()
        self._receipts = 0

    def connect(self, patience_s: float = 0.0) -> tuple[int, float]:
        """Begin to send what waits in the spool; how many parts had their receipts, and in how many seconds.

        Patience ends with the last receipt at the latest.
        """
        self._sender = Sender(
            self._name,
            self._spool,
            self._url,
            seal=self._seal,
            on_directive=lambda _directive: None,
            on_fact=self._note,
            access=ACCESS,
        )
        waiting = self._spool.summary().parts
        began = time.perf_counter()
        self._sender.start(strict=True)
        with self._news:
            self._news.wait_for(lambda: self._receipts >= waiting, patience_s)
            return self._receipts, time.perf_counter() - began

    def deliver(self, clips: int, parts: int = PARTS) -> float:
        """Submit clips as fast as it goes; the seconds until every part of them has its receipt."""
        assert self._sender is not None
        these = [part for _ in range(clips) for part in self._clip(parts)]
        self._receipts = 0
        began = time.perf_counter()
        done = 0
        while done < len(these):
            done += self._sender.submit_all(these[done : done + _TOGETHER])
        with self._news:
            if not self._news.wait_for(lambda: self._receipts >= len(these), _DEADLINE_S):
                raise TimeoutError(f"{self._receipts} of {len(these)} parts have a receipt after {_DEADLINE_S:g} s")
        return time.perf_counter() - began

    def spool(self, clips: int) -> None:
        """Keep clips while there is no connection."""
        for _ in range(clips):
            sealed = [(part, encode_part(part, self._seal)) for part in self._clip(PARTS)]
            self._spool.put_all([Deposit(p.clip, p.number, digest_of(data), data, p.last) for p, data in sealed])

    def close(self) -> None:
        """End."""
        if self._sender is not None:
            self._sender.close()
        self._spool.close()

    def _clip(self, parts: int) -> list[Part]:
        number = next(self._numbers)
        return clip(self._name, number, [self._audio[(number * parts + i) % len(self._audio)] for i in range(parts)])

    def _note(self, kind: str, _facts: Mapping[str, JSON]) -> None:
        if kind == "receipt":
            with self._news:
                self._receipts += 1
                self._news.notify_all()


def main(url: str, state: str, audio: str, name: str) -> None:
    """Send what is asked for."""
    device = _Device(url, Path(state), sounds(Path(audio)), name)
    try:
        serve(connect=device.connect, deliver=device.deliver, spool=device.spool)
    finally:
        device.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
