"""The helper process that holds a microphone: `python -m device.capturing '{...}' PIPE`.

It says which microphone it found and how that opens, and then passes on every piece that the sound system leaves.
With ``"look"`` it ends after the former; with ``"list"`` it says which cards there are.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

from device.cards import LOUDSPEAKER, MICROPHONE
from device.child import Message, end_after, orders, write
from device.intake import Intake
from device.portaudio import PortAudio

FOUND, CARDS, PIECE, GONE = b"F", b"L", b"P", b"G"
"""Kinds of messages: what was found, the list, sound, and the microphone's end."""


def capture(asked: dict[str, Any], told: BinaryIO, portaudio: PortAudio) -> None:
    """Do it, and tell into `told`. Raises DeviceError, and OSError where nobody listens."""
    if asked.get("list"):
        cards = [card.facts() for card in portaudio.cards]
        defaults = {"microphone": portaudio.default(MICROPHONE), "loudspeaker": portaudio.default(LOUDSPEAKER)}
        write(told, Message(CARDS, json.dumps({"cards": cards, "default": defaults}).encode()))
        return
    card, opening = portaudio.find(asked["name"], MICROPHONE, asked["channel"], asked["rates"])
    write(told, Message(FOUND, json.dumps({"card": card.facts(), "opening": asdict(opening)}).encode()))
    if asked.get("look"):
        return
    intake = Intake(round(asked["room_s"] * opening.rate))
    portaudio.listen(card, opening, intake, asked["block_ms"])
    for piece in intake.pieces():
        write(told, Message(PIECE, piece.pack()))
    write(told, Message(GONE))


def main(asked: str, pipe: str) -> None:
    """Run it."""
    told = os.fdopen(int(pipe), "wb")
    orders()
    end_after(lambda: capture(json.loads(asked), told, PortAudio()), told, "the microphone cannot be heard")


if __name__ == "__main__":
    main(*sys.argv[1:])
