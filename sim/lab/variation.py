"""In what trials of one scenario differ: voices, places, levels, noise, echo, gaps and, where given, wording.

What is drawn for trial k depends on k and the seed alone. Each draw comes with its factors, numbers or names that say
in short what was different.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import dist, exp, log
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from device.errors import ConfigError
from device.yaml_model import SettingFault, load_yaml_model
from sim.errors import LabError, SimError
from sim.scenario import Scenario
from sim.scenario.base import Place, Strict, Text, VoiceName
from sim.speech.voices import Voice, must_speak

MARGIN_M = 0.3
"""Nobody is put nearer to a wall than this."""

OTHERS = ("flite:slt", "flite:rms", "flite:awb")
"""Voices that people may have besides those of the scenario, where they are installed and nothing else is said."""

Factors = dict[str, float | str]
Pair = tuple[float, float]


class Variation(Strict):
    """How far each thing may be from what the scenario says; pairs are from and to, evenly drawn."""

    voices: Annotated[tuple[VoiceName, ...], Field(min_length=1)] | None = None
    """Which voices people may have, each its own; none: those of the scenario and flite's that are here."""
    move_m: Annotated[float, Field(ge=0, le=5)] = 0.5
    """How far each person may stand from their place, along and across."""
    level_db: Pair = (-6.0, 6.0)
    """Added to how loud people and media are, all alike."""
    noise_db_spl: Pair = (25.0, 50.0)
    """Noise in every room, in place of that of the scenario."""
    rt60_s: Pair = (0.2, 0.6)
    """How long every room echoes, in place of what the scenario says; rooms without walls stay so."""
    gap_stretch: Pair = (0.8, 1.25)
    """By what all gaps between lines are multiplied, drawn evenly by ratio."""
    gap_jitter_ms: Annotated[int, Field(ge=0, le=10_000)] = 150
    """How far each gap may then be from that."""
    wording: dict[Annotated[str, Field(pattern=r"^\d+$")], Annotated[tuple[Text, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    """By the number of a line, from 0 on: other words for it, of which one or its own is drawn."""

    @model_validator(mode="after")
    def _pairs_rise(self) -> Variation:
        for name in ("level_db", "noise_db_spl", "rt60_s", "gap_stretch"):
            low, high = getattr(self, name)
            if low > high:
                raise SettingFault((name,), [low, high], "from must not be above to")
        if self.gap_stretch[0] <= 0:
            raise SettingFault(("gap_stretch",), list(self.gap_stretch), "it must be above 0")
        return self


class Drawn(NamedTuple):
    """What is different in a trial: a seed, settings as `--set` has them, and what that is in short."""

    seed: int
    overrides: tuple[tuple[str, str], ...]
    factors: Factors


def load_variation(path: Path | None, scenario: Scenario) -> Variation:
    """Read it, or take the usual one, with its voices filled in; raises LabError, which names file and line."""
    try:
        found = Variation() if path is None else load_yaml_model(path, Variation)
    except ConfigError as error:
        raise LabError(str(error)) from None
    for number in found.wording:
        if int(number) >= len(scenario.script):
            lines = f"the script of {scenario.name} has lines 0 to {len(scenario.script) - 1}"
            raise LabError(f"{path}: wording.{number} is of a line that is not there; {lines}")
    if found.voices is not None:
        return found
    own = [person.voice for person in scenario.people.values() if person.voice is not None]
    return found.model_copy(update={"voices": tuple(dict.fromkeys([*own, *filter(_speaks, OTHERS)])) or None})


def _speaks(voice: str) -> bool:
    try:
        must_speak(Voice.parse(voice))
    except SimError:  # it is not installed: then it is not among those that are drawn from
        return False
    return True


class Drawing:
    """Draws trials of a scenario."""

    def __init__(self, scenario: Scenario, variation: Variation, seed: int) -> None:
        self._scenario, self._variation, self._seed = scenario, variation, seed

    def draw(self, number: int) -> Drawn:
        """What is different in this trial."""
        rng = np.random.default_rng([self._seed, number])
        seed = int(rng.integers(2**63))
        changes: dict[str, Any] = {}
        factors: Factors = {}
        self._voices(rng, changes, factors)
        self._places(rng, changes, factors)
        self._levels(rng, changes, factors)
        self._rooms(rng, changes, factors)
        self._gaps(rng, changes, factors)
        self._wording(rng, changes, factors)
        told = tuple((f"scenario.{key}", json.dumps(value, ensure_ascii=False)) for key, value in changes.items())
        return Drawn(seed, told, factors)

    def _voices(self, rng: np.random.Generator, changes: dict[str, Any], factors: Factors) -> None:
        voices = self._variation.voices or ()
        speakers = [name for name, person in self._scenario.people.items() if person.voice is not None]
        order = rng.permutation(len(voices)).tolist()
        for place, name in enumerate(speakers):  # as long as there are enough, no two people have one voice
            voice = voices[order[place % len(order)]]
            changes[f"people.{name}.voice"] = voice
            if len(voices) > 1:
                factors[f"voice of {name}"] = voice

    def _places(self, rng: np.random.Generator, changes: dict[str, Any], factors: Factors) -> None:
        device = next(iter(self._scenario.devices.values()))
        for name, person in self._scenario.people.items():
            size = self._scenario.rooms[person.room].size_m
            shift = rng.uniform(-1, 1, 2) * self._variation.move_m
            x, y = (_inside(at + move, side) for at, move, side in zip(person.at_m[:2], shift, size[:2], strict=True))
            place: Place = (x, y, person.at_m[2])
            changes[f"people.{name}.at_m"] = place
            if person.room == device.room and self._variation.move_m:
                factors[f"distance of {name}"] = dist(place, device.at_m)

    def _levels(self, rng: np.random.Generator, changes: dict[str, Any], factors: Factors) -> None:
        shift = _between(rng, self._variation.level_db)
        for kind, things in (("people", self._scenario.people), ("media", self._scenario.media)):
            for name, thing in things.items():
                changes[f"{kind}.{name}.level_db_spl"] = round(min(max(thing.level_db_spl + shift, 30.0), 100.0), 2)
        _tell(factors, "level", shift, self._variation.level_db)

    def _rooms(self, rng: np.random.Generator, changes: dict[str, Any], factors: Factors) -> None:
        noise, echo = _between(rng, self._variation.noise_db_spl), _between(rng, self._variation.rt60_s)
        for name, room in self._scenario.rooms.items():
            changes[f"rooms.{name}.background"] = {"kind": "pink", "db_spl": round(noise, 2)}
            if room.rt60_s:
                changes[f"rooms.{name}.rt60_s"] = max(round(echo, 3), round(room.least_rt60_s + 0.01, 3))
        _tell(factors, "noise", noise, self._variation.noise_db_spl)
        if any(room.rt60_s for room in self._scenario.rooms.values()):
            _tell(factors, "echo", echo, self._variation.rt60_s)

    def _gaps(self, rng: np.random.Generator, changes: dict[str, Any], factors: Factors) -> None:
        low, high = self._variation.gap_stretch
        stretch = exp(_between(rng, (log(low), log(high))))
        for number, line in enumerate(self._scenario.script):
            jitter = _between(rng, (-1.0, 1.0)) * self._variation.gap_jitter_ms
            # A reaction's gap is a person's own, and who cuts in does so by a little: both stay.
            if line.at_ms is None and line.when_heard is None and line.gap >= 0:
                changes[f"script.{number}.gap_ms"] = max(0, round(line.gap * stretch + jitter))
        _tell(factors, "gaps", stretch, self._variation.gap_stretch)

    def _wording(self, rng: np.random.Generator, changes: dict[str, Any], factors: Factors) -> None:
        for number, others in self._variation.wording.items():
            choice = int(rng.integers(len(others) + 1))
            if choice:
                changes[f"script.{number}.say"] = others[choice - 1]
            factors[f"wording of line {number}"] = str(choice)


def _between(rng: np.random.Generator, pair: Pair) -> float:
    return pair[0] + float(rng.random()) * (pair[1] - pair[0])


def _tell(factors: Factors, name: str, value: float, pair: Pair) -> None:
    if pair[0] < pair[1]:
        factors[name] = value


def _inside(at: float, side: float) -> float:
    return round(min(max(at, MARGIN_M), side - MARGIN_M), 3)


def plan_of(variation: Variation, seed: int) -> Mapping[str, Any]:
    """What draws depend on."""
    return {"variation": variation.model_dump(mode="json"), "seed": seed}
