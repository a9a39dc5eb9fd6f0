"""What is said in a stretch of talk or television: lines are drawn by what may come of them, as far as is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product

import numpy as np

from device.config import WakeSettings
from sim.lab.fleet.hearing import Ears, Hearing
from sim.lab.fleet.household import Household
from sim.lab.fleet.lines import REQUESTS, YES, Lines
from sim.lab.fleet.playing import About, wake_of
from sim.lab.fleet.population import Population
from sim.lab.fleet.stretch import Drawn, Proposal, Shares, blended, near
from sim.lab.models import detectors

WORD, ASKS, WHO, AGREES = 15, 12, 12, 12
"""Hundredths of distance in which a tilt falls to 0.37: for the wake word, a request, a contact and a yes."""

HEARD = 0.85
"""How much of the tilt towards a wake is by what the models themselves say; the rest is by distance."""

REPLIES = 5
"""Lines after a request that are tilted: some are said while the device speaks, and lost."""

REPLY = (0.45, 0.35)
"""How often a line after the request is drawn as a contact's name and as a yes; else it is any line."""


class Drawing:
    """Draws stretches of the homes of a population; without `hearing` by distances alone."""

    def __init__(self, population: Population, lines: Lines, about: About, hearing: Hearing | None) -> None:
        self._lines, self._about, self._hearing = lines, about, hearing
        self._length = population.lines_a_stretch

    def draw(self, home: Household, kind: str, rng: np.random.Generator) -> Drawn:
        """Draw one of talk or television."""
        voices = [home.television_voice] if kind == "television" else [one.voice for one in home.people]
        return self.proposal(home, voices).draw(rng)

    def proposal(self, home: Household, voices: Sequence[str]) -> Proposal:
        """How stretches of this home are drawn, in which any of these voices speaks."""
        lines, shares = self._lines, self._lines.shares
        wake = near(lines.distances([home.word.replace("_", " ")]), WORD)
        if self._hearing is not None:
            heard = self._hearing.chances(*ears_of(self._about, home.profile, home.word), voices)
            wake = blended(shares, [(heard, HEARD), (wake, 1 - HEARD)])
        asks, agrees = near(lines.distances(REQUESTS), ASKS), near(lines.distances(YES), AGREES)
        plain = np.ones(len(shares))
        who = near(lines.distances(home.contacts), WHO) if home.contacts else plain
        reply = blended(shares, [(who, REPLY[0]), (agrees, REPLY[1]), (plain, 1 - sum(REPLY))])
        return Proposal(shares, steps(wake, asks, reply, self._length), self._length)


def wakes(population: Population, about: About) -> list[WakeSettings]:
    """How the devices of this population wake, each way once; raises ConfigError."""
    devices = population.devices
    every = product(_there(devices.profile), _there(devices.word))
    return list(dict.fromkeys(wake_of(about, profile, word) for profile, word in every))


def ears(population: Population, about: About) -> list[Ears]:
    """What listens in this population, each once; raises ConfigError."""
    return list(dict.fromkeys(Ears(wake.engine, wake.words) for wake in wakes(population, about)))


def _there(shares: Mapping[str, float]) -> list[str]:
    return [name for name, share in shares.items() if share > 0]


@cache
def ears_of(about: About, profile: str, word: str) -> tuple[Ears, float]:
    """What listens in homes with this profile and word, and the least score that wakes; raises WakewordError."""
    wake = wake_of(about, profile, word)
    return Ears(wake.engine, wake.words), min(each["threshold"] for each in detectors(wake))


def steps(wake: Shares, asks: Shares, reply: Shares, length: int) -> list[list[Shares]]:
    """The runs of lines that are tilted: a wake; a wake and a request; and these with replies to what is asked back."""
    return [[wake], [wake, asks], [wake, asks, *[reply] * min(REPLIES, length - 2)]]
