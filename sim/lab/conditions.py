"""Under which conditions a test set is heard: as it is, in a room, and in noise, from the parts of a simulated home."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, product

import numpy as np
from pydantic import ValidationError

from sim.errors import LabError
from sim.home.fourier import convolved
from sim.home.levels import Sound, amplitude
from sim.home.noise import PinkNoise
from sim.home.room import response
from sim.lab.loudness import SpeechPower
from sim.scenario.rooms import Room
from wakeword.frames import HOP
from wakeword.sound import RATE, Samples

LEAD = 25 * HOP
"""Samples (2 s) before a clip, in which every engine's window fills up: a device has always been listening already."""

TAIL = RATE
"""Samples after a clip, in which a word at its very end may still be answered."""

DEVICE_HEIGHT_M, MOUTH_HEIGHT_M, FROM_WALL_M = 0.8, 1.5, 0.5


@dataclass(frozen=True)
class Place:
    """A room and how far from the device one speaks in it; the device stands half a metre from a shorter wall."""

    length_m: float
    width_m: float
    height_m: float
    rt60_s: float
    distance_m: float

    def __str__(self) -> str:
        size = f"{self.length_m:g} x {self.width_m:g} x {self.height_m:g} m"
        return f"{size}, {self.rt60_s:g} s, at {self.distance_m:g} m"


@dataclass(frozen=True)
class Condition:
    """`place` None: as recorded; `snr_db` None: without noise."""

    place: Place | None = None
    snr_db: float | None = None

    def __str__(self) -> str:
        noise = None if self.snr_db is None else f"{self.snr_db:g} dB pink"
        return ", ".join(part for part in (self.place and f"room {self.place}", noise) if part) or "as it is"


def place(text: str) -> Place:
    """Read ``LENGTH,WIDTH,HEIGHT,RT60,DISTANCE`` (metres and seconds); raises LabError."""
    try:
        found = Place(*map(float, text.split(",")))
        Room(size_m=(found.length_m, found.width_m, found.height_m), rt60_s=found.rt60_s)
    except ValidationError as error:
        why = "; ".join(str(each["msg"]) for each in error.errors())
        raise LabError(f"--room {text} is no room: {why}") from None
    except (TypeError, ValueError):
        raise LabError(f"--room {text} is not LENGTH,WIDTH,HEIGHT,RT60,DISTANCE, such as 5,4,2.6,0.4,3") from None
    if not 0.1 <= found.distance_m <= found.length_m - 2 * FROM_WALL_M:
        longest = found.length_m - 2 * FROM_WALL_M
        raise LabError(f"--room {text}: in a room so long one speaks from 0.1 to {longest:g} m away")
    return found


def conditions(places: list[Place], snrs_db: list[float]) -> list[Condition]:
    """Each room with each noise; as it is, and without noise, are always among them."""
    found = [Condition(where, snr) for where, snr in product([None, *places], [None, *snrs_db])]
    return list(dict.fromkeys(found))


Chunks = Callable[[], Iterable[Samples]]
"""Begins to read a sound, int16, piece by piece."""


def heard(samples: Samples, condition: Condition, seed: int, number: int) -> Samples:
    """int16[LEAD + n + TAIL]: all of `stream_heard`, of a clip that is in memory."""
    power = SpeechPower()
    power.push(samples)
    return np.concatenate(list(stream_heard(lambda: [samples], power.value(), condition, seed, number)))


def stream_heard(chunks: Chunks, power: float, condition: Condition, seed: int, number: int) -> Iterator[Samples]:
    """A clip as the device hears it, int16, chunk by chunk; its own first sample is at LEAD, and TAIL follows its last.

    `power` is that of its active speech, which a room leaves as it was: for that the sound is read twice. The way of
    the direct sound through the air is taken back. The noise is of `seed` and the clip's `number` alone.
    """
    room = None if condition.place is None else Reverberation(response_of(chunks, power, condition.place))
    level = None if condition.snr_db is None else np.float32(np.sqrt(power) * amplitude(-condition.snr_db))
    noise, at = PinkNoise(seed, number), 0
    for chunk in chain([np.zeros(LEAD, np.int16)], chunks(), [np.zeros(TAIL, np.int16)]):
        sound: Sound = chunk.astype(np.float32)
        if room is not None:
            sound = room.hear(sound)
        if level is not None and len(chunk):
            sound = sound + noise.between(at, at + len(chunk)) * level
        at += len(chunk)
        yield np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def response_of(chunks: Chunks, power: float, where: Place) -> Sound:
    """The impulse response of a place, by a factor that gives the active speech of this sound the power it had."""
    room, now = Reverberation(_response(where)), SpeechPower()
    for chunk in chain(chunks(), [np.zeros(TAIL, np.int16)]):
        now.push(room.hear(chunk.astype(np.float32)))
    heard_power = now.value()
    return _response(where) * np.float32(np.sqrt(power / heard_power) if heard_power else 1.0)


class Reverberation:
    """Lets a stream sound in a room; what is still to come of one chunk is laid into the next."""

    def __init__(self, response: Sound) -> None:
        self._response = response
        self._rest: Sound = np.zeros(0, np.float32)

    def hear(self, sound: Sound) -> Sound:
        """float32[n] -> float32[n]."""
        n = len(sound)
        wet = convolved(sound, self._response) if n else sound
        wet = np.pad(wet, (0, max(0, len(self._rest) - len(wet))))
        wet[: len(self._rest)] += self._rest
        self._rest = wet[n:]
        return wet[:n]


@lru_cache(maxsize=64)
def _response(where: Place) -> Sound:
    room = Room(size_m=(where.length_m, where.width_m, where.height_m), rt60_s=where.rt60_s)
    across = float(np.sqrt(max(0.0, where.distance_m**2 - (MOUTH_HEIGHT_M - DEVICE_HEIGHT_M) ** 2)))
    height = MOUTH_HEIGHT_M if across else DEVICE_HEIGHT_M
    along = across or where.distance_m
    if max(height, DEVICE_HEIGHT_M) > where.height_m - 0.01:
        raise LabError(f"a room {where.height_m:g} m high is lower than a mouth; make it higher")
    middle = where.width_m / 2
    found = response(room, (FROM_WALL_M + along, middle, height), (FROM_WALL_M, middle, DEVICE_HEIGHT_M))
    return found[int(np.argmax(np.abs(found))) :]
