"""A stretch of a home's day as a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import numpy as np

from sim.cloud.customers import number_of
from sim.lab.fleet.household import SILENCE_S, Household
from sim.lab.fleet.lines import Lines
from sim.lab.fleet.population import Population
from sim.review.feedback.talk import load_talk
from sim.scenario import Scenario
from sim.scenario.account import ScenarioAccount
from sim.scenario.contacts import Contact
from sim.scenario.devices import PlacedDevice
from sim.scenario.media import Medium, MediumLine
from sim.scenario.people import Person
from sim.scenario.rooms import Background, Room
from sim.scenario.script import Line, Means
from sim.scenario.wording import fill

ROOM = "living room"
WARM_UP_MS = 2000
"""Before the first word."""

REQUEST_LINES = 2
"""What people go on to say after a request."""

_DAY = datetime(2018, 5, 24, 18, 0, tzinfo=timezone(timedelta(hours=-7)))
_PAUSE_MS = (2500, 5000)
"""After a request, for the answer."""

_TAIL_MS = 2000


def scene(
    population: Population, lines: Lines, home: Household, kind: str, seed: int, said: Sequence[int] = ()
) -> Scenario:
    """Draw a stretch of this kind, one of `KINDS` or silence, in this home; `said`: lines of talk or television."""
    rng = np.random.default_rng(seed)
    if kind == "silence":
        return _silence(home, seed)
    if kind == "requests":
        return _request(population, lines, home, rng, seed)
    texts = [lines.texts[at] for at in said]
    return (_television if kind == "television" else _talk)(population, home, texts, rng, seed)


def _talk(population: Population, home: Household, said: list[str], rng: np.random.Generator, seed: int) -> Scenario:
    low, high = population.talk.gap_ms
    script = [*_reactions(population, home)]
    speaker = int(rng.integers(len(home.people)))
    for number, text in enumerate(said):
        gap = int(rng.integers(low, high + 1)) if number else WARM_UP_MS
        script.append(Line(who=home.people[speaker].name, say=text, gap_ms=gap))
        speaker = _another(speaker, len(home.people), rng)
    return _home(home, seed, script=tuple(script))


def _reactions(population: Population, home: Household) -> list[Line]:
    """Of whoever hears a device, once each."""
    text = population.people.reaction
    return [
        Line(who=one.name, when_heard="*", wait_ms=0, gap_ms=300, say=text)
        for one in home.people
        if one.on_prompt == "react"
    ]


def _another(speaker: int, people: int, rng: np.random.Generator) -> int:
    """Who speaks next: another one, where there is any."""
    return (speaker + 1 + int(rng.integers(people - 1))) % people if people > 1 else speaker


def _television(
    population: Population, home: Household, said: list[str], rng: np.random.Generator, seed: int
) -> Scenario:
    low, high = population.talk.gap_ms
    gaps = [WARM_UP_MS, *(int(rng.integers(low, high + 1)) for _ in said[1:])]
    medium = Medium(
        room=ROOM,
        at_m=home.television_at_m,
        level_db_spl=home.television_db_spl,
        voice=home.television_voice,
        lines=tuple(MediumLine(say=text, gap_ms=gap) for text, gap in zip(said, gaps, strict=True)),
    )
    return _home(home, seed, media={"television": medium})


def _request(population: Population, lines: Lines, home: Household, rng: np.random.Generator, seed: int) -> Scenario:
    """Somebody addresses a device, and then they go on to talk."""
    talk = load_talk()
    command = talk.commands[int(rng.integers(len(talk.commands)))]
    called = home.word.replace("_", " ").title()
    text = fill(command.say, talk.lists, rng).replace("Alexa", called)
    speaker = int(rng.integers(len(home.people)))
    device = _devices(home)[int(rng.integers(len(home.devices)))]
    who, means = home.people[speaker].name, Means(intent=command.intent)
    script = [Line(who=who, say=text, gap_ms=WARM_UP_MS, to=device, means=means)]
    gap = int(rng.integers(*_PAUSE_MS))
    for at in rng.choice(len(lines.texts), REQUEST_LINES, p=lines.shares).tolist():
        speaker = _another(speaker, len(home.people), rng)
        script.append(Line(who=home.people[speaker].name, say=lines.texts[at], gap_ms=gap))
        gap = int(rng.integers(population.talk.gap_ms[0], population.talk.gap_ms[1] + 1))
    return _home(home, seed, script=tuple(script))


def _silence(home: Household, seed: int) -> Scenario:
    """Nothing but the noise of the room: a scenario that nobody could write, as it shows nothing."""
    nobody = _home(home, seed, script=(Line(who=home.people[0].name, say="Nothing."),))
    return nobody.model_copy(update={"script": (), "tail_ms": SILENCE_S * 1000})


def _devices(home: Household) -> list[str]:
    return [f"dot-{number + 1}" for number in range(len(home.devices))]


def _home(
    home: Household, seed: int, script: tuple[Line, ...] = (), media: dict[str, Medium] | None = None
) -> Scenario:
    return Scenario(
        name=f"home-{home.number + 1}",
        shows=f"A stretch of a day in home {home.number + 1} of a fleet.",
        seed=seed,
        utc=_DAY,
        rooms={
            ROOM: Room(
                size_m=home.size_m, rt60_s=home.rt60_s, background=Background(kind="pink", db_spl=home.noise_db_spl)
            )
        },
        people={
            one.name: Person(
                voice=one.voice, room=ROOM, at_m=one.at_m, level_db_spl=one.level_db_spl, on_prompt=one.on_prompt
            )
            for one in home.people
        },
        media=media or {},
        account=ScenarioAccount(
            number=number_of(f"fleet {home.number}"),
            first_name=home.people[0].name.title(),
            choice=None if home.choice == "none" else home.choice,
        ),
        devices={
            name: PlacedDevice(profile=home.profile, room=ROOM, at_m=at)
            for name, at in zip(_devices(home), home.devices, strict=True)
        },
        contacts=tuple(Contact(name=name) for name in home.contacts),
        script=script,
        tail_ms=_TAIL_MS,
    )
