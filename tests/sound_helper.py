"""A helper process for sound, played by a script: sound_helper.py SCRIPT ASKED PIPE.

SCRIPT is a JSON file: a list of what each further process does that does not only look. Each is a list of steps:
["found", opening], ["piece", values of a frame, frames], ["error", sentence], ["gone"], ["crash"], ["hang"]; of a
loudspeaker ["play"] and ["play until stopped"].
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import threading
import time
from pathlib import Path

from device.capturing import FOUND, GONE, PIECE
from device.child import ERROR, Message, orders, write
from device.intake import Piece
from device.playing import BEGUN, COUNT, ENDED, PLAY, STOP, TIME


def main(script: Path, asked: str, pipe: str) -> None:
    ordered = orders()
    told = os.fdopen(int(pipe), "wb")
    plan = json.loads(script.read_text())
    if json.loads(asked).get("look"):
        steps = plan[0][:1]
    else:
        count = script.with_suffix(".count")
        number = int(count.read_text()) if count.exists() else 0
        count.write_text(str(number + 1))
        steps = plan[min(number, len(plan) - 1)]
    for step, *rest in steps:
        if step == "found":
            write(told, Message(FOUND, json.dumps({"card": {"name": "stick"}, "opening": rest[0]}).encode()))
        elif step == "piece":
            values, frames = rest
            data = struct.pack(f"<{len(values)}h", *values) * frames
            write(told, Message(PIECE, Piece(data, frames, 0.0, time.monotonic(), False, 0).pack()))
        elif step == "error":
            write(told, Message(ERROR, rest[0].encode()))
            os._exit(0)
        elif step.startswith("play"):
            order = ordered.get()
            assert order.kind == PLAY
            script.with_suffix(".played").write_bytes(order.body)
            write(told, Message(BEGUN, TIME.pack(100.0)))
            if step == "play until stopped":
                assert ordered.get().kind == STOP
            frames = len(order.body) // 2 if step == "play" else 160
            write(told, Message(ENDED, COUNT.pack(frames)))
        elif step == "gone":
            write(told, Message(GONE))
            os._exit(0)
        elif step == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        else:
            threading.Event().wait()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
