"""What may be said in a simulated week, as data; which of it wakes a device nobody knows beforehand."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from device.errors import ConfigError
from device.yaml_model import SettingFault, load_yaml_model
from sim.errors import ScenarioError
from sim.scenario.base import Strict

_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_TRIES = 2000

Template = Annotated[str, Field(min_length=1, max_length=200)]


class Command(Strict):
    """Something said to the device, and what was meant by it."""

    say: Template
    intent: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Talk(Strict):
    """Templates: ``(one|other)`` is a choice, ``{name}`` one of a list."""

    near: Annotated[tuple[Template, ...], Field(min_length=1)]
    """Said to nobody's device, and rich in sounds of the wake word."""
    ordinary: Annotated[tuple[Template, ...], Field(min_length=1)]
    commands: Annotated[tuple[Command, ...], Field(min_length=1)]
    lists: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _lists_are_there(self) -> Talk:
        for at, templates in (("near", self.near), ("ordinary", self.ordinary)):
            for number, template in enumerate(templates):
                self._check((at, number), template)
        for number, command in enumerate(self.commands):
            self._check(("commands", number, "say"), command.say)
        return self

    def _check(self, at: tuple[str | int, ...], template: str) -> None:
        for slot in _SLOT.findall(template):
            if slot not in self.lists:
                raise SettingFault(at, template, f"there is no list {slot}; there are: {', '.join(self.lists)}")


def load_talk(path: Path | None = None) -> Talk:
    """What ships, or a YAML file; raises ScenarioError."""
    try:
        if path is not None:
            return load_yaml_model(path, Talk)
        shipped = files("configs").joinpath("feedback", "talk.yaml")
        return load_yaml_model(shipped.read_text("utf-8"), Talk, name="configs/feedback/talk.yaml")
    except ConfigError as error:
        raise ScenarioError(str(error)) from None


class Sayings:
    """Draws lines, each of them once; those of the days held out are never said on the others.

    `held`: from which of the two sets; `share`: how large the one held out is.
    """

    def __init__(self, talk: Talk, chance: np.random.Generator, seed: int, share: float, held: bool) -> None:
        self._talk, self._chance = talk, chance
        self._seed, self._share, self._held = seed, share, held
        self._said: set[str] = set()

    def near(self) -> str:
        """Something that sounds like the wake word."""
        return self._draw(self._talk.near)[0]

    def ordinary(self) -> str:
        """Something else."""
        return self._draw(self._talk.ordinary)[0]

    def command(self) -> tuple[str, str]:
        """Something said to the device, and its intent."""
        text, number = self._draw([command.say for command in self._talk.commands])
        return text, self._talk.commands[number].intent

    def _draw(self, templates: tuple[str, ...] | list[str]) -> tuple[str, int]:
        """A line that was not said before, and the number of its template; raises ScenarioError where all were."""
        for _ in range(_TRIES):
            number = int(self._chance.integers(len(templates)))
            text = self._fill(templates[number])
            if text not in self._said and is_held(text, self._seed, self._share) == self._held:
                self._said.add(text)
                return text, number
        raise ScenarioError(
            f"all that is to say like {templates[0]!r} has been said; take more templates, longer lists, or fewer lines"
        )

    def _fill(self, template: str) -> str:
        def choose(found: re.Match[str]) -> str:
            options = found.group(1).split("|")
            return options[int(self._chance.integers(len(options)))]

        def fill(found: re.Match[str]) -> str:
            options = self._talk.lists[found.group(1)]
            return options[int(self._chance.integers(len(options)))]

        return _SLOT.sub(fill, _CHOICE.sub(choose, template))


def is_held(text: str, seed: int, share: float) -> bool:
    """Whether a line belongs to the days held out: by a hash of it, so that no line is in both sets."""
    digest = hashlib.sha256(f"{seed}:{text}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32
