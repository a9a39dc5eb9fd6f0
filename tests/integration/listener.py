"""Listens to a microphone in a process of its own and tells what it heard.

listener.py RESULT.npz SECONDS SLOW_AT SLOW_FOR '{"name": ...}': prints "hearing" with the first block, and at the end
one JSON line: name, rate, error, and of each block its begin, length, lost and why. The result holds the samples, each
at its index. At second SLOW_AT of the stream it is busy elsewhere for SLOW_FOR seconds.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import numpy as np

from device.errors import DeviceError
from device.microphone import Microphone
from wakeword.sound import RATE


def main(result: str, seconds: float, slow_at: float, slow_for: float, arguments: dict[str, object]) -> None:
    microphone = Microphone(**arguments)  # type: ignore[arg-type]
    heard = np.zeros(round((seconds + 10) * RATE), np.int16)
    told: list[tuple[int, int, int, str | None]] = []
    error = None
    blocks = microphone.blocks()
    try:
        for block in blocks:
            if not told:
                print("hearing", flush=True)
            told.append((block.begin, len(block.samples), block.lost, block.why))
            heard[block.begin : block.end] = block.samples
            if slow_for and block.end >= slow_at * RATE:
                threading.Event().wait(slow_for)
                slow_for = 0.0
            if block.end >= seconds * RATE:
                microphone.close()
    except DeviceError as problem:
        error = str(problem)
    np.savez(Path(result), heard=heard)
    print(json.dumps({"name": microphone.name, "rate": microphone.opening.rate, "error": error, "blocks": told}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), json.loads(sys.argv[5]))
