"""The clips that the devices under fault send: each follows from its name, so anybody can say what it must hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from uplink.message import Part
from wakeword.sound import encode_flac

_ROOM = 100_000
"""Samples from the beginning of one clip to that of the next."""


def clip_name(device: str, life: int, index: int) -> str:
    """Name clip `index` (from 0) that a device captured in one life, from 0, counted by whoever starts it."""
    return f"{device}-20260101t{life:012d}z-{index * _ROOM:012d}"


def clip_names(device: str, life: int) -> Iterator[str]:
    """Name one clip after another of a life."""
    index = 0
    while True:
        yield clip_name(device, life, index)
        index += 1


def lengths(clip: str) -> list[int]:
    """Give the samples of each part: one to six parts, mostly short, now and then a whole second."""
    chance = np.random.default_rng(_seed(clip))
    sizes = chance.integers(160, 1600, chance.integers(1, 7))
    if chance.random() < 0.05:
        sizes[0] = 16_000
    return [int(size) for size in sizes]


def samples(clip: str) -> NDArray[np.int16]:
    """Give what a clip must hold: noise, so that no part is like another."""
    return np.random.default_rng([_seed(clip), 1]).integers(-8000, 8000, sum(lengths(clip)), dtype=np.int16)


@cache
def audio(clip: str) -> tuple[bytes, ...]:
    """Give the FLAC of each part of a clip."""
    ends = np.cumsum(lengths(clip))
    return tuple(encode_flac(part) for part in np.split(samples(clip), ends[:-1]))


def parts(clip: str) -> list[Part]:
    """Give a clip as it is submitted."""
    device, _, begin = clip.rsplit("-", 2)
    given: list[Part] = []
    at = int(begin)
    for number, length in enumerate(sizes := lengths(clip)):
        given.append(
            Part(
                device=device,
                clip=clip,
                number=number,
                last=number == len(sizes) - 1,
                begin=at,
                end=at + length,
                facts={"score": 0.9} if number == 0 else {},
                audio=audio(clip)[number],
            )
        )
        at += length
    return given


def _seed(clip: str) -> int:
    return int.from_bytes(hashlib.sha256(clip.encode()).digest()[:8], "big")
