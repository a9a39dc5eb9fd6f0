"""The fleet: all its homes with their days, and which stretch of which of them play k is of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.errors import LabError
from sim.lab.fleet.drawing import Drawing
from sim.lab.fleet.hearing import Hearing
from sim.lab.fleet.household import DAY_S, KINDS, SILENCE_S, UNADDRESSED, days, household
from sim.lab.fleet.lines import lines_of
from sim.lab.fleet.playing import About, Job
from sim.lab.fleet.population import Population

SILENCE = "silence"
_PLAY, _LINES = 3, 4
"""Streams of the seed; `household` has the others."""

_SECONDS = {"talk": 45, "television": 45, "requests": 15}
"""About how long stretches are: only to say how much of a day is silence."""

_NINE = "television talk television television talk requests television talk television"
_PATTERN = (*_NINE.split(), SILENCE, *_NINE.split(), "television")
"""Of what kind each play is, over and over: most of what is said is said on air."""

MOST_HOME_DAYS = 2_000_000


class Fleet:
    """Homes 0 to n - 1 on days 0 to d - 1. Play k depends on these and on k: more plays may be added later."""

    def __init__(self, population: Population, about: About, homes: int, days_each: int) -> None:
        """Draw every home and each of its days; raises LabError for a fleet too large, or in which nobody speaks."""
        if homes * days_each > MOST_HOME_DAYS:
            raise LabError(f"{homes} homes over {days_each} days are more than {MOST_HOME_DAYS} days; take fewer")
        self._population, self.about = population, about
        self.homes, self.days = homes, days_each
        self.lines = lines_of(population.model_dump_json())
        self._counts = np.zeros((homes, days_each, len(KINDS)), np.int64)
        self.devices = 0
        for number in range(homes):
            home = household(population, about.seed, number)
            self._counts[number] = days(population, home, about.seed, days_each, self.lines.words_a_line)
            self.devices += len(home.devices)
        pattern = [kind for kind in _PATTERN if kind == SILENCE or self.stretches[kind]]
        if len(set(pattern)) == 1:
            raise LabError("in this fleet nobody says anything; let people talk, or turn on a television")
        self._pattern = tuple(pattern)

    @property
    def device_days(self) -> int:
        """Devices, each times its days."""
        return self.devices * self.days

    @cached_property
    def stretches(self) -> Mapping[str, float]:
        """How many of each kind there are; of silence what is left of the days."""
        found: dict[str, float] = dict(zip(KINDS, self._counts.sum(axis=(0, 1)).tolist(), strict=True))
        spoken = sum(found[kind] * seconds for kind, seconds in _SECONDS.items())
        return {**found, SILENCE: max(0.0, self.homes * self.days * DAY_S - spoken) / SILENCE_S}

    @cached_property
    def _edges(self) -> Mapping[str, NDArray[np.int64]]:
        return {kind: np.cumsum(self._counts[:, :, at].ravel()) for at, kind in enumerate(KINDS)}

    def where(self, number: int) -> tuple[str, int, int, int]:
        """The kind of a play, its home and day, drawn by how many stretches of that kind they have, and its seed."""
        rng = np.random.default_rng([self.about.seed, _PLAY, number])
        seed = int(rng.integers(2**53))
        kind = self._pattern[number % len(self._pattern)]
        if kind == SILENCE:
            at = int(rng.integers(self.homes * self.days))
        else:
            edges = self._edges[kind]
            at = int(np.searchsorted(edges, rng.integers(edges[-1]), side="right"))
        home, day = divmod(at, self.days)
        return kind, home, day, seed

    def job(self, number: int, hearing: Hearing | None = None) -> Job:
        """The play of this number; its lines are tilted by what was heard of them, or without that by distances."""
        kind, home, _, seed = self.where(number)
        if kind not in UNADDRESSED:
            return Job(self.about, home, kind, seed)
        rng = np.random.default_rng([self.about.seed, _LINES, number])
        drawing = Drawing(self._population, self.lines, self.about, hearing)
        drawn = drawing.draw(household(self._population, self.about.seed, home), kind, rng)
        return Job(self.about, home, kind, seed, drawn)
