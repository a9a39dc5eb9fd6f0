"""Hears its own prompt: a microphone and a loudspeaker of one device, in a process of its own.

echo.py RESULT.npz PROMPT.flac NAME [cancel]: plays the prompt after a second of listening, stops listening two seconds
after it ended, and prints one JSON line for each fact. The result holds what was heard, at its index; with `cancel`
without the echo.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from device.audio import Source
from device.echo import Played, WithoutEcho
from device.events import Event, Kind
from device.microphone import Microphone
from device.speaker import Speaker
from wakeword.sound import RATE, read_sound


def main(result: str, prompt: str, name: str, cancel: str = "") -> None:
    sound = read_sound(Path(prompt))
    played: list[int] = []
    microphone = Microphone()

    def tell(kind: str, facts: Mapping[str, Any]) -> None:
        print(json.dumps({"kind": kind, **facts}), flush=True)
        if kind == "prompt_played" or facts["why"]:
            played.append(microphone_end)

    heard = np.zeros(60 * RATE, np.int16)
    plays = Played()
    source: Source = WithoutEcho(microphone, plays) if cancel else microphone
    speaker = Speaker(name or None, tell, microphone.sample_at, played=plays)
    microphone_end, asked = 0, False
    for block in source.blocks():
        heard[block.begin : block.end] = block.samples
        microphone_end = block.end
        if not asked and block.end >= RATE:
            asked = True
            speaker.note(Event(block.end, Kind.PROMPT, {"text": "", "samples": len(sound)}, sound))
        if played and block.end >= played[0] + 2 * RATE:
            microphone.close()
    speaker.close()
    np.savez(Path(result), heard=heard)


if __name__ == "__main__":
    main(*sys.argv[1:])
