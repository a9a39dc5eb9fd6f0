"""The helper process that holds a loudspeaker: `python -m device.playing '{...}' PIPE`.

It says which loudspeaker it found and how that opens, and then plays what it is told to, one sound at a time. The card
is open only while something sounds, so that others may use it and it may sleep.
"""

from __future__ import annotations

import json
import os
import queue
import struct
import sys
import time
from dataclasses import asdict
from typing import Any, BinaryIO

from device.cards import LOUDSPEAKER, Card, Opening
from device.child import Message, end_after, orders, write
from device.portaudio import PortAudio

FOUND, BEGUN, ENDED = b"F", b"B", b"N"
"""Kinds of messages: what was found, when a sound begins (monotonic seconds), its end (frames played)."""
PLAY, STOP = b"p", b"s"
"""What it is told: frames, as the card is open, and to be silent."""
_ENDED_ITSELF = b"!"

Orders = queue.SimpleQueue[Message]
TIME, COUNT = struct.Struct("<d"), struct.Struct("<Q")


class Sound:
    """Frames on their way into the card; `fill` belongs to the callback."""

    def __init__(self, frames: bytes, size: int, told: queue.SimpleQueue[Message]) -> None:
        """`size`: bytes of a frame."""
        self._frames, self._size, self._told = frames, size, told
        self._at = 0
        self.began: float | None = None
        self.stopped = False

    def fill(self, count: int, soon_s: float) -> bytes | None:
        """Give the next frames; see `device.portaudio.Fill`."""
        if self.began is None:
            self.began = time.monotonic() + max(0.0, soon_s)
            self._told.put(Message(BEGUN, TIME.pack(self.began)))
        if self.stopped or self._at >= len(self._frames):
            return None
        piece = self._frames[self._at : self._at + count * self._size]
        self._at += len(piece)
        return piece

    @property
    def played(self) -> int:
        """Frames."""
        return self._at // self._size


def play(asked: dict[str, Any], said: BinaryIO, told: Orders, portaudio: PortAudio, most: int | None = None) -> None:
    """Do it, `most` sounds at most. Raises DeviceError, and OSError where nobody listens."""
    card, opening = portaudio.find(asked["name"], LOUDSPEAKER, 0, asked["rates"])
    write(said, Message(FOUND, json.dumps({"card": card.facts(), "opening": asdict(opening)}).encode()))
    while most is None or most > 0:
        order = told.get()
        if order.kind == PLAY:
            _one(order.body, said, told, portaudio, card, opening)
            most = None if most is None else most - 1


def _one(
    frames: bytes, said: BinaryIO, told: queue.SimpleQueue[Message], portaudio: PortAudio, card: Card, opening: Opening
) -> None:
    sizes = {"int16": 2, "int24": 3, "int32": 4, "float32": 4}
    sound = Sound(frames, sizes[opening.form] * opening.channels, told)
    stream = portaudio.speak(card, opening, sound.fill, lambda: told.put(Message(_ENDED_ITSELF)))
    while (order := told.get()).kind != _ENDED_ITSELF:
        if order.kind == BEGUN:
            write(said, order)
        elif order.kind == STOP:
            sound.stopped = True
    stream.close()
    write(said, Message(ENDED, COUNT.pack(sound.played)))


def main(asked: str, pipe: str) -> None:
    """Run it."""
    said = os.fdopen(int(pipe), "wb")
    told = orders()
    end_after(lambda: play(json.loads(asked), said, told, PortAudio()), said, "the loudspeaker cannot be used")


if __name__ == "__main__":
    main(*sys.argv[1:])
