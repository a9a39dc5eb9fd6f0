"""The rows of a sweep: every combination of what is varied, or draws from it. Row k depends on its number alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from math import exp, log, prod
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Discriminator, Field, JsonValue, Tag, model_validator

from device.errors import ConfigError
from device.yaml_model import SettingFault, load_yaml_model
from sim.errors import LabError
from sim.lab.trial import Base, Trial
from sim.scenario.base import Strict

MOST_ROWS = 10_000_000

_FILES = ("wake.words", "wake.engine", "wake.verifier", "cloud.verifier")
"""Fields that name model files."""

Seed = Annotated[int, Field(ge=0, lt=2**63)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9 _-]+)*$")]


class Range(Strict):
    """Numbers from `low` to `high`, both inclusive."""

    low: float
    high: float
    steps: Annotated[int, Field(ge=2, le=10_000)] | None = None
    """How many in a grid, evenly; draws may lie anywhere between unless it is given."""
    log: bool = False
    """Evenly by ratio, not by difference."""
    whole: bool = False
    """Rounded to whole numbers."""

    @model_validator(mode="after")
    def _is_a_range(self) -> Range:
        if self.low >= self.high:
            raise SettingFault(("high",), self.high, "it must be above low")
        if self.log and self.low <= 0:
            raise SettingFault(("low",), self.low, "by ratio, it must be above 0")
        return self

    def at(self, share: float) -> float:
        """The number at a share of the way, 0 to 1."""
        low, high = (log(self.low), log(self.high)) if self.log else (self.low, self.high)
        between = low + share * (high - low)
        value = min(max(exp(between) if self.log else between, self.low), self.high)
        return round(value) if self.whole else value


class Random(Strict):
    """Draws in place of every combination."""

    rows: Annotated[int, Field(ge=1, le=MOST_ROWS)]
    seed: Seed = 0


Values = Annotated[tuple[JsonValue, ...], Field(min_length=1)]
_Field = Annotated[
    Annotated[Values, Tag("values")] | Annotated[Range, Tag("range")],
    Discriminator(lambda given: "range" if isinstance(given, dict | Range) else "values"),
]
Names = Annotated[tuple[str, ...], Field(min_length=1)]


class Sweep(Strict):
    """What is varied. Lists of names are varied, too."""

    scenario: str | Names
    profile: Names = ()
    """Device profiles in place of those of the scenario."""
    cloud: Names = ()
    """Far-end profiles in place of that of the scenario."""
    seeds: Annotated[int, Field(ge=1)] | Annotated[tuple[Seed, ...], Field(min_length=1)] = 1
    """Which seeds, or how many, from 0 on."""
    fields: dict[Key, _Field] = Field(default_factory=dict)
    """By dotted name as `--set` has them: the devices'; with ``cloud.`` or ``scenario.`` ahead, those of these."""
    random: Random | None = None

    @model_validator(mode="after")
    def _has_rows(self) -> Sweep:
        for key, values in self.fields.items():
            if isinstance(values, Range) and values.steps is None and self.random is None:
                raise SettingFault(("fields", key), values.low, "every combination of a range needs its steps")
        if self.random is None and self.rows > MOST_ROWS:
            raise ValueError(f"{self.rows} rows are more than {MOST_ROWS}; vary less, or draw some with random")
        return self

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Names or files."""
        return (self.scenario,) if isinstance(self.scenario, str) else self.scenario

    @property
    def dimensions(self) -> dict[str, Sequence[Any]]:
        """What is varied, and all the values it takes, in the order of a grid; the seeds change fastest."""
        seeds = range(self.seeds) if isinstance(self.seeds, int) else self.seeds
        fields = {key: _values(values) for key, values in self.fields.items()}
        profiles, clouds = self.profile or (None,), self.cloud or (None,)
        return {"scenario": self.scenarios, "profile": profiles, "cloud": clouds, **fields, "seed": seeds}

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.random.rows if self.random else prod(map(len, self.dimensions.values()))


class Design:
    """A sweep with its bases, ready to give any row."""

    def __init__(self, sweep: Sweep, bases: Mapping[tuple[str, str | None, str | None], Base]) -> None:
        self.sweep, self._bases, self._dimensions = sweep, bases, sweep.dimensions

    @property
    def content(self) -> list[str]:
        """What the files say that it is about, as hashes."""
        return [each.content for each in self._bases.values()]

    def row(self, number: int) -> dict[str, Any]:
        """What is varied, and its value in this row."""
        drawn = self.sweep.random
        found: dict[str, Any] = {}
        if drawn is not None:
            rng = np.random.default_rng([drawn.seed, number])
            for key, values in self._dimensions.items():
                field = self.sweep.fields.get(key)
                if isinstance(field, Range) and field.steps is None:
                    found[key] = field.at(float(rng.random()))
                else:
                    found[key] = values[int(rng.integers(len(values)))]
            return found
        for key, values in reversed(self._dimensions.items()):
            number, at = divmod(number, len(values))
            found[key] = values[at]
        return {key: found[key] for key in self._dimensions}

    def trial(self, number: int) -> Trial:
        """The play of a row."""
        return self.trial_of(self.row(number))

    def trial_of(self, row: Mapping[str, Any]) -> Trial:
        """The play with these values."""
        base = self._bases[row["scenario"], row["profile"], row["cloud"]]
        return Trial(base, row["seed"], tuple((key, json.dumps(row[key])) for key in self.sweep.fields))

    def listeners(self) -> list[Trial]:
        """Plays in which everything comes that decides on which model files are listened with, in every combination."""
        first = {key: values[0] for key, values in self._dimensions.items()}
        decide = [key for key in self._dimensions if key in ("scenario", "profile", "cloud") or key.startswith(_FILES)]
        every = product(*(self._dimensions[key] for key in decide))
        return [self.trial_of({**first, **dict(zip(decide, values, strict=True))}) for values in every]

    def probes(self) -> list[Trial]:
        """Plays in which every value of what is varied comes once, all else as in the first row."""
        first = {key: values[0] for key, values in self._dimensions.items()}
        others = [
            {**first, key: value}
            for key, values in self._dimensions.items()
            if key != "seed"
            for value in (values if len(values) < 1000 else [values[0], values[-1]])
        ]
        return [self.trial_of(row) for row in [first, *others]]


def _values(values: tuple[JsonValue, ...] | Range) -> list[Any]:
    if not isinstance(values, Range):
        return list(values)
    if values.steps is None:
        return [values.at(0.0), values.at(1.0)]
    return [values.at(step / (values.steps - 1)) for step in range(values.steps)]


def load_sweep(path: Path) -> Sweep:
    """Read a sweep; raises LabError, which names file and line."""
    try:
        return load_yaml_model(path, Sweep)
    except ConfigError as error:
        raise LabError(str(error)) from None
