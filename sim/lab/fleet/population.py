"""The population that homes are drawn from: how many speak, about what, what stands in their rooms; as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from device.config import load_device
from device.errors import ConfigError
from device.yaml_model import SettingFault, load_yaml_model
from sim.errors import LabError
from sim.scenario.base import Strict, Text, VoiceName
from sim.scenario.wording import Template, must_have_lists

Share = Annotated[float, Field(ge=0, le=1)]
Voices = Annotated[tuple[VoiceName, ...], Field(min_length=1)]
Count = Annotated[str, Field(pattern=r"^[1-9]$")]
Hours = Annotated[float, Field(ge=0, le=24)]
Pair = tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]]
OnPrompt = Literal["ignore", "pause", "react"]
Choice = Literal["none", "out", "in"]

SHIPPED = "population"
"""The one that ships, in configs/lab."""

_OFF = 1e-6
"""By how much shares may miss 1."""


class _Group(Strict):
    """A part of a population, of whose fields shares sum to 1 and pairs rise."""

    @model_validator(mode="after")
    def _pairs_rise_and_shares_sum(self) -> _Group:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) == 2 and not isinstance(value[0], str) and value[0] > value[1]:
                raise SettingFault((name,), list(value), "from must not be above to")
            if isinstance(value, dict) and value and all(isinstance(share, float) for share in value.values()):
                _must_sum((name,), value)
        return self


class People(_Group):
    """Who lives there."""

    count: Annotated[dict[Count, Share], Field(min_length=1)]
    voices: Voices
    level_db_spl: Pair
    """Active speech at 1 m."""
    on_prompt: Annotated[dict[OnPrompt, Share], Field(min_length=1)]
    reaction: Text
    """What somebody says who hears the device and reacts."""
    choice: Annotated[dict[Choice, Share], Field(min_length=1)]


class Devices(_Group):
    """What stands in their homes."""

    count: Annotated[dict[Count, Share], Field(min_length=1)]
    profile: Annotated[dict[str, Share], Field(min_length=1)]
    word: Annotated[dict[str, Share], Field(min_length=1)]
    requests_a_day: Pair

    @model_validator(mode="after")
    def _profiles_are_there(self) -> Devices:
        for profile in self.profile:
            try:
                load_device(profile)
            except ConfigError as error:
                raise SettingFault(("profile", profile), self.profile[profile], str(error)) from None
        return self


class Talk(_Group):
    """How much people say to each other."""

    hours_a_day: tuple[Hours, Hours]
    lines_an_hour: Pair
    gap_ms: tuple[Annotated[int, Field(ge=0, le=60_000)], Annotated[int, Field(ge=0, le=60_000)]]


class Television(_Group):
    """How long it is on, and how loud; nobody says anything meanwhile."""

    hours_a_day: tuple[Hours, Hours]
    words_an_hour: Annotated[float, Field(gt=0, le=20_000)]
    level_db_spl: Pair
    voices: Voices


class Rooms(_Group):
    """The room in which all that is."""

    length_m: tuple[Annotated[float, Field(ge=2.5, le=15)], Annotated[float, Field(ge=2.5, le=15)]]
    width_m: tuple[Annotated[float, Field(ge=2.5, le=15)], Annotated[float, Field(ge=2.5, le=15)]]
    rt60_s: tuple[Annotated[float, Field(ge=0.2, le=2)], Annotated[float, Field(ge=0.2, le=2)]]
    noise_db_spl: Pair


class Contacts(_Group):
    """Whom their messages can go to."""

    count: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
    names: tuple[Text, ...]

    @model_validator(mode="after")
    def _there_are_enough(self) -> Contacts:
        if self.count[1] > len(self.names):
            raise SettingFault(
                ("count",), list(self.count), f"there are {len(self.names)} names; give more, or take less"
            )
        return self


class Book(Strict):
    """Lines of one kind, and how often a line is from it."""

    share: Share
    text: str | None = None
    """A text that ships, or a .txt file: each of its lines is as likely."""
    feedback: Literal["near", "ordinary"] | None = None
    """Templates of configs/feedback/talk.yaml."""
    lines: tuple[Template, ...] = ()

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Book:
        if (self.text is not None) + (self.feedback is not None) + bool(self.lines) != 1:
            raise ValueError("a book has text, feedback or lines, one of the three")
        return self


class Population(Strict):
    """All of it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    sources: dict[str, Text] = Field(default_factory=dict)
    """By dotted name, where a figure is from; every other one is assumed."""
    people: People
    devices: Devices
    talk: Talk
    television: Television
    room: Rooms
    contacts: Contacts
    lines_a_stretch: Annotated[int, Field(ge=4, le=100)]
    books: Annotated[dict[str, Book], Field(min_length=1)]
    lists: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_together(self) -> Population:
        _must_sum(("books",), {name: book.share for name, book in self.books.items()})
        for name, book in self.books.items():
            for number, line in enumerate(book.lines):
                must_have_lists(line, self.lists, ("books", name, "lines", number))
        if self.talk.hours_a_day[1] + self.television.hours_a_day[1] > 24:
            why = "with those of talk a day has more than 24 hours"
            raise SettingFault(("television", "hours_a_day"), list(self.television.hours_a_day), why)
        figures = self.figures()
        for key, source in self.sources.items():
            if key not in figures:
                raise SettingFault(("sources", key), source, "there is no such figure in this population")
        return self

    def figures(self) -> tuple[str, ...]:
        """The dotted names of everything that a source could be given for."""
        found = ["lines_a_stretch"]
        for section in ("people", "devices", "talk", "television", "room", "contacts"):
            found += [f"{section}.{name}" for name in type(getattr(self, section)).model_fields]
        return (*found, *(f"books.{name}" for name in self.books))

    @property
    def assumed(self) -> tuple[str, ...]:
        """Those for which there is no source."""
        return tuple(name for name in self.figures() if name not in self.sources)


def _must_sum(at: tuple[str, ...], shares: Mapping[str, float]) -> None:
    total = sum(shares.values())
    if abs(total - 1) > _OFF:
        raise SettingFault(at, dict(shares), f"shares sum to 1, not to {total:g}")


def load_population(name: str = SHIPPED) -> Population:
    """The one that ships, or a YAML file; raises LabError, which names file and line."""
    try:
        if name != SHIPPED:
            return load_yaml_model(Path(name), Population)
        text = files("configs").joinpath("lab", f"{SHIPPED}.yaml").read_text("utf-8")
        return load_yaml_model(text, Population, name=f"configs/lab/{SHIPPED}.yaml")
    except ConfigError as error:
        raise LabError(str(error)) from None


def as_plan(population: Population) -> dict[str, Any]:
    """All of it as plain values."""
    found: dict[str, Any] = json.loads(population.model_dump_json())
    return found
