"""A scenario: who says what, where, when and how loud; never what is heard, which the models decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, PrivateAttr, model_validator
from pydantic_core.core_schema import ValidationInfo

from sim.scenario.account import ScenarioAccount
from sim.scenario.base import DeviceName, Name, Strict
from sim.scenario.checks import check_parts, check_references
from sim.scenario.contacts import Contact
from sim.scenario.devices import Mute, PlacedDevice
from sim.scenario.media import Medium
from sim.scenario.people import Person
from sim.scenario.rooms import WALL_LOSS_DB, Room, Wall
from sim.scenario.script import Line


class Scenario(Strict):
    """What goes on around the devices. All that is random in it comes from ``seed``."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
    shows: Annotated[str, Field(min_length=1, max_length=300)]
    """One line on what there is to see."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    utc: AwareDatetime
    """When sample 0 was heard; its offset is the home's local time."""
    cloud: str = "2018"
    """The far end's profile: a name in configs/cloud, or a .yaml file, relative to this one."""
    rooms: Annotated[dict[Name, Room], Field(min_length=1)]
    walls: tuple[Wall, ...] = ()
    people: dict[Name, Person] = Field(default_factory=dict)
    media: dict[Name, Medium] = Field(default_factory=dict)
    devices: Annotated[dict[DeviceName, PlacedDevice], Field(min_length=1)]
    account: ScenarioAccount = ScenarioAccount()
    """Whose the devices are."""
    contacts: tuple[Contact, ...] = ()
    mute: tuple[Mute, ...] = ()
    script: tuple[Line, ...] = ()
    """In order of when the lines begin."""
    tail_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 2000
    """How long it goes on after the last word or prompt."""

    _file: Path | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Scenario:
        check_references(self)
        if isinstance(info.context, Path):  # the file it is read from
            self._file = info.context
            check_parts(self, self.folder)
        return self

    @property
    def file(self) -> Path | None:
        """The file it was read from."""
        return self._file

    @property
    def folder(self) -> Path:
        """What paths in it are relative to."""
        return Path() if self._file is None else self._file.parent

    def key(self, line: Line) -> tuple[str, str]:
        """What a line sounds like: its voice, or ``file:`` and its recording; and its text."""
        return str(self.people[line.who].voice) if line.sound is None else f"file:{line.sound}", line.say

    @property
    def utterances(self) -> tuple[tuple[str, str], ...]:
        """The key of each line, once, in order: people first, then media."""
        media = [(str(medium.voice), line.say) for medium in self.media.values() for line in medium.lines]
        return tuple(dict.fromkeys([*map(self.key, self.script), *media]))

    def wall_loss_db(self, one: str, other: str) -> float:
        """How much quieter the sound of one room is in another."""
        losses = (wall.loss_db for wall in self.walls if set(wall.between) == {one, other})
        return next(losses, WALL_LOSS_DB)

    def muted(self) -> tuple[tuple[int, str, bool], ...]:
        """Milliseconds since the beginning, device, and whether its microphone is then off; in order of time."""
        presses = ((press.after_ms(self.utc), press.device, press.muted) for press in self.mute)
        return tuple(sorted(presses, key=lambda press: press[0]))
