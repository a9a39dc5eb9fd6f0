"""The helper process that holds a microphone: `python -m device.capturing '{...}' PIPE`.

It says which microphone it found and how that opens, and then passes on every piece that the sound system leaves.
With ``"look"`` it ends after the former; with ``"list"`` it says which cards there are.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from dataclasses import asdict
from typing import Any, BinaryIO

from device.cards import LOUDSPEAKER, MICROPHONE
from device.child import Message, orders, write
from device.errors import DeviceError
from device.intake import Intake
from device.portaudio import PortAudio

FOUND, CARDS, PIECE, GONE, ERROR = b"F", b"L", b"P", b"G", b"E"
"""Kinds of messages: what was found, the list, sound, the microphone's end, and a sentence instead."""


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
    """Run it, and leave without a look back: closing a stream may hang where its sound system has gone."""
    told = os.fdopen(int(pipe), "wb")
    orders()
    try:
        capture(json.loads(asked), told, PortAudio())
    except DeviceError as error:
        write(told, Message(ERROR, str(error).encode()))
    except BrokenPipeError:  # nobody listens any more
        pass
    except Exception as error:  # noqa: BLE001 - whatever it is, who started this process must hear of it
        last = traceback.extract_tb(error.__traceback__)[-1]
        sentence = f"the microphone cannot be heard ({type(error).__name__}: {error}, {last.name}); report this"
        write(told, Message(ERROR, sentence.encode()))
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
