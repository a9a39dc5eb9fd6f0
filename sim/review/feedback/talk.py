"""What may be said in a simulated week, as data; which of it wakes a device nobody knows beforehand."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from device.errors import ConfigError
from device.yaml_model import load_yaml_model
from sim.errors import ScenarioError
from sim.scenario.base import Strict
from sim.scenario.wording import Template, fill, must_have_lists

_TRIES = 2000


class Command(Strict):
    """Something said to the device, and what was meant by it."""

    say: Template
    intent: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Talk(Strict):
    """Templates, as `sim.scenario.wording` has them."""

    near: Annotated[tuple[Template, ...], Field(min_length=1)]
    """Said to nobody's device, and rich in sounds of the wake word."""
    ordinary: Annotated[tuple[Template, ...], Field(min_length=1)]
    commands: Annotated[tuple[Command, ...], Field(min_length=1)]
    lists: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _lists_are_there(self) -> Talk:
        for at, templates in (("near", self.near), ("ordinary", self.ordinary)):
            for number, template in enumerate(templates):
                must_have_lists(template, self.lists, (at, number))
        for number, command in enumerate(self.commands):
            must_have_lists(command.say, self.lists, ("commands", number, "say"))
        return self


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
            text = fill(templates[number], self._talk.lists, self._chance)
            if text not in self._said and is_held(text, self._seed, self._share) == self._held:
                self._said.add(text)
                return text, number
        raise ScenarioError(
            f"all that is to say like {templates[0]!r} has been said; take more templates, longer lists, or fewer lines"
        )


def is_held(text: str, seed: int, share: float) -> bool:
    """Whether a line belongs to the days held out: by a hash of it, so that no line is in both sets."""
    digest = hashlib.sha256(f"{seed}:{text}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32
