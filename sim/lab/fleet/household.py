"""Homes and their days, each drawn from the population by its number and the seed alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.lab.fleet.population import Choice, OnPrompt, Population
from sim.scenario.base import Place

_HOME, _DAYS = 1, 2
"""Streams of the seed."""

KINDS = ("talk", "television", "requests")
"""Of stretches in which somebody says something, in the order of the columns of `days`."""

UNADDRESSED = ("talk", "television")
"""Those in which nobody addresses a device."""

SILENCE_S = 60
"""Of silence this is a stretch."""

DAY_S = 86_400
HEIGHT_M = 2.5
"""Of every room."""

_NAMES = ("ann", "ben", "cleo", "dan", "eve", "finn", "grace", "hugo", "iris")
_WALL_M = 0.4
"""Nothing stands nearer to a wall."""

Key = TypeVar("Key", bound=str)
Pair = tuple[float, float]


@dataclass(frozen=True)
class Someone:
    """Who lives there."""

    name: str
    voice: str
    at_m: Place
    level_db_spl: float
    on_prompt: OnPrompt


@dataclass(frozen=True)
class Household:
    """A home; everything in it stays where it is."""

    number: int
    people: tuple[Someone, ...]
    choice: Choice
    devices: tuple[Place, ...]
    profile: str
    word: str
    size_m: Place
    rt60_s: float
    noise_db_spl: float
    television_at_m: Place
    television_voice: str
    television_db_spl: float
    contacts: tuple[str, ...]
    talk_h: float
    """Hours a day, mean; as all that follow, a day's own is drawn from it."""
    lines_an_hour: float
    television_h: float
    requests_a_day: float


def household(population: Population, seed: int, number: int) -> Household:
    """Draw a home."""
    rng = np.random.default_rng([seed, _HOME, number])
    people, devices, talk, room = population.people, population.devices, population.talk, population.room
    size = (_between(rng, room.length_m), _between(rng, room.width_m), HEIGHT_M)
    count = int(_one_of(rng, people.count))
    voices = [people.voices[at] for at in rng.permutation(len(people.voices)).tolist()]
    reacts = _one_of(rng, people.on_prompt)
    contacts = population.contacts
    known = int(rng.integers(contacts.count[0], contacts.count[1] + 1))
    return Household(
        number=number,
        people=tuple(
            Someone(
                _NAMES[at], voices[at % len(voices)], _place(rng, size, 1.5), _between(rng, people.level_db_spl), reacts
            )
            for at in range(count)
        ),
        choice=_one_of(rng, people.choice),
        devices=tuple(_place(rng, size, 1.0) for _ in range(int(_one_of(rng, devices.count)))),
        profile=_one_of(rng, devices.profile),
        word=_one_of(rng, devices.word),
        size_m=size,
        rt60_s=_between(rng, room.rt60_s),
        noise_db_spl=_between(rng, room.noise_db_spl),
        television_at_m=_place(rng, size, 0.8),
        television_voice=population.television.voices[int(rng.integers(len(population.television.voices)))],
        television_db_spl=_between(rng, population.television.level_db_spl),
        contacts=tuple(contacts.names[at] for at in np.sort(rng.permutation(len(contacts.names))[:known]).tolist()),
        talk_h=_between(rng, talk.hours_a_day),
        lines_an_hour=_between(rng, talk.lines_an_hour),
        television_h=_between(rng, population.television.hours_a_day),
        requests_a_day=_between(rng, devices.requests_a_day),
    )


def days(population: Population, home: Household, seed: int, count: int, words_a_line: float) -> NDArray[np.int64]:
    """int64[count, 3]: how many stretches of each of `KINDS` there are on each day, about the home's mean (Poisson).

    More days are the same days, and some more.
    """
    aired = home.television_h * population.television.words_an_hour / words_a_line
    lines = (home.talk_h * home.lines_an_hour, aired)
    means = (*(each / population.lines_a_stretch for each in lines), home.requests_a_day)
    return np.random.default_rng([seed, _DAYS, home.number]).poisson(means, (count, len(KINDS)))


def _between(rng: np.random.Generator, pair: Pair) -> float:
    return round(pair[0] + float(rng.random()) * (pair[1] - pair[0]), 3)


def _one_of(rng: np.random.Generator, shares: Mapping[Key, float]) -> Key:
    names, edges = list(shares), np.cumsum(list(shares.values()))
    return names[min(int(np.searchsorted(edges, rng.random() * edges[-1], side="right")), len(names) - 1)]


def _place(rng: np.random.Generator, size: Place, height_m: float) -> Place:
    x, y = (_between(rng, (_WALL_M, side - _WALL_M)) for side in size[:2])
    return x, y, height_m
