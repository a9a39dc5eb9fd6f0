"""Rooms, what is always heard in them, and the walls between them."""

from __future__ import annotations

from math import log
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core.core_schema import ValidationInfo

from device.yaml_model import SettingFault
from sim.scenario.base import DbSpl, Name, Place, Strict

WALL_LOSS_DB = 35.0
"""Between rooms for which no wall is named. Assumed: a light inner wall with a closed door."""

SPEED_OF_SOUND_M_S = 343.0
"""In air of 20 degrees."""


class Background(Strict):
    """Steady noise under everything in a room."""

    kind: Literal["pink"] = "pink"
    db_spl: DbSpl | None = None
    """How loud it is, everywhere in the room."""
    snr_db: Annotated[float, Field(ge=-40, le=90)] | None = None
    """Or: how far under the active speech of the script it is at the first device (mean power over the lines)."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Background:
        if (self.db_spl is None) == (self.snr_db is None):
            raise ValueError("a background has db_spl or snr_db, one of the two")
        return self


class Room(Strict):
    """A box with walls alike."""

    size_m: tuple[
        Annotated[float, Field(ge=1, le=50)], Annotated[float, Field(ge=1, le=50)], Annotated[float, Field(ge=1, le=20)]
    ]
    """Length, width and height."""
    rt60_s: Annotated[float, Field(ge=0, le=2)] = 0.4
    """How long a sound takes to fall by 60 dB; 0: no walls, as outdoors."""
    background: Background | None = None

    @model_validator(mode="after")
    def _walls_can_be_so_dead(self, _info: ValidationInfo) -> Room:
        least = self.least_rt60_s
        if 0 < self.rt60_s < least:
            why = f"walls that swallow everything give {least:.2f} in a room of this size; take more, or 0 for no walls"
            raise SettingFault(("rt60_s",), self.rt60_s, why)
        return self

    @property
    def least_rt60_s(self) -> float:
        """Sabine's reverberation time with an absorption of 1."""
        x, y, z = self.size_m
        return 24 * log(10) / SPEED_OF_SOUND_M_S * (x * y * z) / (2 * (x * y + x * z + y * z))

    def holds(self, place: Place) -> bool:
        """Whether a place is inside, at least 1 cm from every wall."""
        return all(0.01 <= at <= size - 0.01 for at, size in zip(place, self.size_m, strict=True))


class Wall(Strict):
    """What lies between two rooms."""

    between: tuple[Name, Name]
    loss_db: Annotated[float, Field(ge=0, le=120)] = WALL_LOSS_DB
    """How much quieter the sound of one room is in the other."""
