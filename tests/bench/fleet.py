"""Many devices at once on one broker and one far end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sim.cloud.store import ClipStore
from tests.bench.figure import Figure, Row, latency_rows
from tests.bench.machine import resident_mb
from tests.bench.worker import Worker

_PATIENCE_S = 20.0
"""How long to wait for the last receipts; what has none then is lost."""
_PAUSE_S = 0.1


def fleet_rows(devices: int, seconds: float, url: str, folder: Path, bare: Worker) -> Iterator[Row]:
    """Let each of many devices send a clip within these seconds, while a bare publisher sends to the same broker."""
    bare_ms: list[float] = []
    with Worker("crowd", url, folder, folder / "sounds", devices) as crowd, ThreadPoolExecutor(1) as pool:
        crowd.ask("connect")
        told = pool.submit(crowd.ask, "speak", seconds=seconds, patience_s=_PATIENCE_S)
        while not told.done() or not bare_ms:
            bare_ms.append(1e3 * float(bare.ask("publish", parts=1)))
            time.sleep(_PAUSE_S)
        said = told.result()
        held = resident_mb(crowd.pid)
    store = ClipStore(folder / "cloud")
    stored = [store.clip(name) for name in said["clips"]]
    store.close()
    delivered = sum(clip is not None and clip.complete for clip in stored)
    fate = f"{delivered:,} of {len(stored):,} clips in the store, {len(stored) - delivered} lost"
    memory = "" if held is None else f"; {held:.0f} MB for all in one program"
    yield from latency_rows(
        f"uplink, {devices:,} devices, part to receipt",
        Figure(tuple(said["ms"])),
        "bare paho, QoS 1 acknowledged",
        Figure(tuple(bare_ms)),
        f"{fate}, {said['again']} sent again{memory}",
    )
