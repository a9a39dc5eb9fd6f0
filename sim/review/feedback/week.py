"""A simulated week: some homes, what is said in each of them on each day, all of it from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np

from sim.cloud.customers import number_of
from sim.errors import ScenarioError
from sim.review.feedback.talk import Sayings, Talk
from sim.scenario import Scenario
from sim.scenario.account import ScenarioAccount
from sim.scenario.contacts import Contact
from sim.scenario.devices import PlacedDevice
from sim.scenario.people import Person
from sim.scenario.rooms import Background, Room
from sim.scenario.script import Line, Means

VOICES = ("flite:slt", "flite:rms", "flite:awb", "flite:kal16")
_NAMES = ("ann", "ben", "cleo", "dan", "eve", "finn", "grace", "hugo")
_CONTACTS = ("Frank", "Margaret", "Stephanie", "Peter")
_FIRST_DAY = datetime(2019, 4, 8, 18, 0, tzinfo=timezone(timedelta(hours=-4)))
_HELD = 2 / 7
"""The share of the days, and of what may be said, that nothing is learned from."""


@dataclass(frozen=True)
class Week:
    """Its size. `near`, `ordinary`, `commands`: lines a day of each kind."""

    seed: int = 0
    homes: int = 4
    days: int = 7
    near: int = 16
    ordinary: int = 6
    commands: int = 6

    def __post_init__(self) -> None:
        """Raises ScenarioError for a week that cannot be."""
        if self.days < 2:
            raise ScenarioError("one day is not enough to learn from some and try it on others; give --days 2 or more")
        if self.homes < 1 or self.near < 1 or self.commands < 1:
            raise ScenarioError("a week without homes, or without talk, teaches nothing; give each at least 1")

    @property
    def held_out(self) -> range:
        """The last days, from which nothing is learned."""
        return range(self.days - max(1, round(self.days * _HELD)), self.days)

    @property
    def learned_from(self) -> range:
        """All days before."""
        return range(self.held_out.start)


def morning_after(day: int) -> datetime:
    """When people come to work on the day after."""
    return _FIRST_DAY.replace(hour=9) + timedelta(days=day + 1)


def device_of(home: int) -> str:
    """The name of the device in a home."""
    return f"dot-{home + 1}"


def scenario_of(week: Week, talk: Talk, home: int, day: int) -> Scenario:
    """One day in one home: people, voices and room are the home's, where they stand and what they say is the day's."""
    of_home = np.random.default_rng([week.seed, 1, home])
    first = int(of_home.integers(len(VOICES)))
    step = int(of_home.integers(1, len(VOICES)))
    voices = [VOICES[(home + first) % len(VOICES)], VOICES[(home + first + step) % len(VOICES)]]
    names = [_NAMES[int(n)] for n in of_home.choice(len(_NAMES), 2, replace=False)]
    size = (round(float(of_home.uniform(3.5, 6)), 2), round(float(of_home.uniform(3, 5)), 2), 2.5)
    rt60 = round(float(of_home.uniform(0.2, 0.4)), 2)

    place = [round(float(at + 0.04 * of_home.random()), 5) for at in (45.36, -121.72)]  # where nobody lives

    chance = np.random.default_rng([week.seed, 2, home, day])
    device = device_of(home)
    at = (0.5, 0.5, 1.0)
    people = {
        name: Person(
            voice=voice,
            room="living room",
            at_m=_somewhere(chance, size),
            level_db_spl=round(float(chance.uniform(60, 66)), 1),
            on_prompt="pause",
        )
        for name, voice in zip(names, voices, strict=True)
    }
    return Scenario(
        name=f"home-{home + 1}-day-{day + 1}",
        shows=f"Day {day + 1} in home {home + 1} of a simulated week with the seed {week.seed}.",
        seed=int(chance.integers(2**31)),
        utc=_FIRST_DAY + timedelta(days=day, minutes=int(chance.integers(60))),
        rooms={
            "living room": Room(
                size_m=size,
                rt60_s=rt60,
                background=Background(kind="pink", db_spl=round(float(chance.uniform(28, 38)), 1)),
            )
        },
        people=people,
        account=ScenarioAccount(
            number=number_of(f"week {week.seed} {home}"),
            first_name=names[0].title(),
            latitude=place[0],
            longitude=place[1],
        ),
        devices={device: PlacedDevice(room="living room", at_m=at)},
        contacts=tuple(Contact(name=name) for name in _CONTACTS),
        script=_script(week, talk, chance, names, device, day),
        tail_ms=4000,
    )


def _somewhere(chance: np.random.Generator, size: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y = (round(float(chance.uniform(1.2, length - 0.4)), 2) for length in size[:2])
    return x, y, 1.5


def _script(
    week: Week, talk: Talk, chance: np.random.Generator, names: list[str], device: str, day: int
) -> tuple[Line, ...]:
    sayings = Sayings(talk, chance, week.seed, _HELD, day in week.held_out)
    kinds = ["near"] * week.near + ["ordinary"] * week.ordinary + ["command"] * week.commands
    lines: list[Line] = []
    after_command = False
    for kind in chance.permutation(kinds):
        who = names[int(chance.integers(len(names)))]
        gap = int(chance.integers(900, 2500)) + 3500 * after_command
        after_command = kind == "command"
        if kind == "command":
            text, intent = sayings.command()
            lines.append(Line(who=who, say=text, gap_ms=gap + 700, to=device, means=Means(intent=intent)))
        else:
            lines.append(Line(who=who, say=sayings.near() if kind == "near" else sayings.ordinary(), gap_ms=gap))
    return tuple(lines)
