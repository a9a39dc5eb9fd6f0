"""Listens to a microphone in a process of its own and tells what it heard.

listener.py RESULT.npz SECONDS SLOW_AT SLOW_FOR '{"name": ...}': prints "hearing" with the first block, each fact as
"KIND {...}" when it is told, with the time and the helper's process, and at the end one JSON line: name, rate, error,
of each block its begin, length, lost and why, and when it came (monotonic seconds). The result holds the samples,
each at its index. At second SLOW_AT of the stream it is busy elsewhere for SLOW_FOR seconds.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from device.errors import DeviceError
from device.microphone import Microphone
from wakeword.sound import RATE


def main(result: str, seconds: float, slow_at: float, slow_for: float, arguments: dict[str, object]) -> None:
    def tell(kind: str, facts: Mapping[str, Any]) -> None:
        print(kind, json.dumps({**facts, "at": time.monotonic(), "helper": microphone.helper}), flush=True)

    microphone = Microphone(**arguments, on_fact=tell)  # type: ignore[arg-type]
    heard = np.zeros(round((seconds + 10) * RATE), np.int16)
    told: list[tuple[int, int, int, str | None]] = []
    came: list[float] = []
    error = None
    blocks = microphone.blocks()
    try:
        for block in blocks:
            if not told and len(block.samples):
                print("hearing", flush=True)
            if len(block.samples) or block.lost:
                told.append((block.begin, len(block.samples), block.lost, block.why))
                came.append(time.monotonic())
            heard[block.begin : block.end] = block.samples
            if slow_for and block.end >= slow_at * RATE:
                threading.Event().wait(slow_for)
                slow_for = 0.0
            if block.end >= seconds * RATE:
                microphone.close()
    except DeviceError as problem:
        error = str(problem)
    np.savez(Path(result), heard=heard)
    about = {"name": microphone.name, "rate": microphone.opening.rate, "error": error}
    print(json.dumps({**about, "blocks": told, "came": came}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), json.loads(sys.argv[5]))
