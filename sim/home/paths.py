"""How sound gets from each thing that sounds to each one that hears, through a room or a wall."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from device.config import AcousticSettings
from sim.home.fourier import convolved
from sim.home.levels import Sound, amplitude
from sim.home.room import METHOD, response
from sim.scenario import Room, Scenario
from sim.scenario.base import Place

MOUTH_TO_EAR_M = 0.17
"""How one hears oneself, as air at this distance from the mouth. Assumed: half the girth of a head."""

NEAREST_M = 0.05
"""Nothing is nearer to anything: the law of distance ends at the body."""


@dataclass(frozen=True)
class Spot:
    """Where something sounds or hears: a person, a medium or a device, by name."""

    kind: str
    name: str
    room: str
    at_m: Place


class Paths:
    """The impulse responses of a home, each computed when it is first asked for. Raises RoomError."""

    def __init__(self, scenario: Scenario, acoustics: Mapping[str, AcousticSettings]) -> None:
        self._scenario, self._acoustics = scenario, acoustics
        self._known: dict[tuple[Spot, Spot], Sound] = {}

    def spot(self, kind: str, name: str) -> Spot:
        """The ``people``, ``media`` or ``devices`` entry of that name."""
        thing = {"people": self._scenario.people, "media": self._scenario.media, "devices": self._scenario.devices}
        placed = thing[kind][name]  # type: ignore[index]
        return Spot(kind, name, placed.room, placed.at_m)

    def between(self, source: Spot, listener: Spot) -> Sound:
        """float32[n]: what a listener hears of a click that is 1 at 1 m from its source."""
        key = (source, listener)
        if key not in self._known:
            self._known[key] = self._response(source, listener)
        return self._known[key]

    def _response(self, source: Spot, listener: Spot) -> Sound:
        rooms = self._scenario.rooms
        if source.room == listener.room:
            own = source.kind == listener.kind and source.name == listener.name
            if own and source.kind == "devices":
                settings = self._acoustics[source.name]
                heard = _kept(rooms[source.room], _beside(source, settings.loudspeaker_m, rooms), listener.at_m)
                return heard * np.float32(amplitude(-settings.echo_loss_db))
            if own:
                return _kept(rooms[source.room], source.at_m, _beside(listener, MOUTH_TO_EAR_M, rooms))
            return _kept(rooms[source.room], source.at_m, _apart(source, listener, rooms))
        return self._through_the_wall(source, listener)

    def _through_the_wall(self, source: Spot, listener: Spot) -> Sound:
        """Heard at the middle of a wall, so much quieter; the other room colours it and adds no level.

        The rooms have no common coordinates, so the wall is always the one at x = 0, from both sides.
        """
        rooms = self._scenario.rooms
        there, here = rooms[source.room], rooms[listener.room]
        before = _kept(there, source.at_m, _apart(source, Spot("wall", "", source.room, _wall(there)), rooms))
        behind = Spot("wall", "", listener.room, _wall(here))
        after = _kept(here, behind.at_m, _apart(behind, listener, rooms))
        loss = amplitude(-self._scenario.wall_loss_db(source.room, listener.room)) / np.sqrt(np.sum(after**2))
        return convolved(before, after * np.float32(loss))


def _wall(room: Room) -> Place:
    return 0.1, room.size_m[1] / 2, room.size_m[2] / 2


def _beside(spot: Spot, distance_m: float, rooms: Mapping[str, Room]) -> Place:
    """So far above, or below where the ceiling is too low."""
    x, y, z = spot.at_m
    up = z + distance_m
    return x, y, up if up <= rooms[spot.room].size_m[2] - 0.01 else max(z - distance_m, 0.01)


def _apart(source: Spot, listener: Spot, rooms: Mapping[str, Room]) -> Place:
    near = float(np.linalg.norm(np.subtract(source.at_m, listener.at_m))) < NEAREST_M
    return _beside(listener, NEAREST_M, rooms) if near else listener.at_m


@lru_cache(maxsize=512)
def _kept(room: Room, source: Place, listener: Place) -> Sound:
    """A response from this process, from the user's cache on disk, or computed; the same in each case."""
    bare = room.model_copy(update={"background": None})
    key = repr((METHOD, _version(), bare.size_m, bare.rt60_s, source, listener))
    path = platformdirs.user_cache_path("misheard") / "rooms" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npy"
    try:
        return _checked(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError):  # not there, or cut off
        found = response(bare, source, listener)
    try:
        _write(path, found)
    except OSError:  # a cache that cannot be written costs time, nothing else
        return found
    return found


@lru_cache(maxsize=1)
def _version() -> str:
    try:
        return version("pyroomacoustics")
    except PackageNotFoundError:
        return "none"


def _checked(found: NDArray[np.float32]) -> Sound:
    if found.dtype != np.float32 or found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise ValueError("not a response")
    return found


def _write(path: Path, found: Sound) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        np.save(part, found)
    os.replace(part.name, path)  # noqa: PTH105 - a name, not a path
