"""What goes over the wire in the measurements of the uplink, for the programs at both of its ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from uplink.address import Access
from uplink.message import Part
from uplink.profiles import PROFILES

ACCESS = Access(limits=PROFILES["mosquitto"])
"""What both ends are given by default on a broker of their own."""
PARTS = 5
"""Of a clip: somebody speaks for five seconds."""
_PART_SAMPLES = 16_000


def sounds(folder: Path) -> list[bytes]:
    """The seconds of sound that were put there, each as FLAC."""
    return [file.read_bytes() for file in sorted(folder.glob("*.flac"))]


def clip(device: str, number: int, seconds: Sequence[bytes]) -> list[Part]:
    """A clip of these seconds, after `number` others of the same stream."""
    begin = number * 1_000_000
    return [
        Part(
            device=device,
            clip=f"{device}-20260101t000000000000z-{begin:012d}",
            number=index,
            last=index == len(seconds) - 1,
            begin=begin + index * _PART_SAMPLES,
            end=begin + (index + 1) * _PART_SAMPLES,
            facts={"initiator": "wakeword", "model": "alexa", "score": 0.97} if index == 0 else {},
            audio=sound,
        )
        for index, sound in enumerate(seconds)
    ]
