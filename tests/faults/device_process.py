"""A device without ears, in a process of its own that may be killed at any moment.

It submits clips as fast as the far end takes them, and writes down, on the disk, each part that `submit` has taken.

device_process.py '{"state": DIR, "ledger": FILE, "url": URL, "device": NAME, "life": N, ...}'; see `Orders`. It prints
one word a line: "up" with each connection, "begun" with the first part taken of each clip, "full" where the disk takes
no more, "done" once all is receipted.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tests.faults.clips import clip_names, parts
from uplink.budget import Budget
from uplink.errors import SpoolError
from uplink.keyring import Keyring
from uplink.message import Part
from uplink.seal import Seal
from uplink.sender import Sender
from uplink.spool import Spool

_BACKLOG = 100
"""Parts that wait at most before the next clip is begun."""
_FOREVER = 10**9


@dataclass(frozen=True)
class Orders:
    """What the process is to do: submit this many clips, and where `drain_s` is not 0 wait so long for the receipts.

    backlog: parts that may wait before the next clip is begun; budget: bytes of the spool. after_full: clips still to
    submit once the disk takes no more. together: hand over all parts of a clip at once.
    """

    state: str
    ledger: str
    url: str
    device: str
    life: int
    clips: int = _FOREVER
    drain_s: float = 0.0
    resend_s: float = 0.3
    backlog: int = _BACKLOG
    budget: float = float("inf")
    after_full: int = _FOREVER
    together: bool = False


class Ledger:
    """What the spool has taken: a line "CLIP NUMBER" each, on the disk when `note` returns; and "! FACT" lines."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def note(self, line: str) -> None:
        """Write a line."""
        os.write(self._file, f"{line}\n".encode())
        os.fsync(self._file)


def main(orders: Orders) -> int:
    """Do what is ordered; gives 0 where all was receipted, or nobody was to wait for that."""
    ledger = Ledger(orders.ledger)
    settled = threading.Event()

    def tell(kind: str, facts: Mapping[str, object]) -> None:
        if kind == "receipt":
            settled.set()
        elif kind == "connected":
            print("up", flush=True)
        elif kind in ("refused", "dropped", "spool_error", "spool_rescued"):
            ledger.note(f"! {json.dumps([kind, facts])}")

    state = Path(orders.state)
    seal = Seal(Keyring.of_device(state, orders.device))
    spool = Spool(state / orders.device / "spool.sqlite", Budget(orders.budget), on_fact=tell)
    sender = Sender(
        orders.device,
        spool,
        orders.url,
        seal=seal,
        on_directive=lambda _directive: None,
        on_fact=tell,
        resend_s=orders.resend_s,
    )
    sender.start()
    left = orders.clips
    clips = clip_names(orders.device, orders.life)
    while left > 0:
        for clip in islice(clips, 1):
            if orders.together:
                _submit_together(parts(clip), sender, ledger)
            elif not _submit(parts(clip), sender, ledger):
                left = min(left, orders.after_full)
        left -= 1
        while spool.summary().parts > orders.backlog:
            settled.clear()
            settled.wait(0.05)
    received = sender.drain(orders.drain_s) if orders.drain_s else True
    sender.close()
    spool.close()
    if orders.drain_s and received:
        print("done", flush=True)
    return 0 if received else 1


def _submit_together(clip: list[Part], sender: Sender, ledger: Ledger) -> None:
    """Submit a clip in as few transactions as it goes."""
    while clip:
        taken, clip = clip[: (count := sender.submit_all(clip))], clip[count:]
        for part in taken:
            ledger.note(f"{part.clip} {part.number}")
    print("begun", flush=True)


def _submit(clip: list[Part], sender: Sender, ledger: Ledger) -> bool:
    """Submit a clip; False where the disk took no more, and the rest of the clip is let go."""
    for part in clip:
        try:
            kept = sender.submit(part)
        except SpoolError as error:
            ledger.note(f"! {json.dumps(['not_kept', {'clip': part.clip, 'number': part.number, 'why': str(error)}])}")
            print("full", flush=True)
            return False
        if not kept:
            return True
        ledger.note(f"{part.clip} {part.number}")
        if part.number == 0:
            print("begun", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main(Orders(**json.loads(sys.argv[1]))))
