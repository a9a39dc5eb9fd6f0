"""The fleet: stretches that are drawn where it matters, beside stretches drawn as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from sim.errors import VoiceError
from sim.lab.fleet.drawing import ears
from sim.lab.fleet.estimate import estimate
from sim.lab.fleet.fleet import Fleet
from sim.lab.fleet.hearing import Hearing, listen, listenings
from sim.lab.fleet.playing import Job, about, play
from sim.lab.fleet.population import Population, load_population
from sim.lab.fleet.stretch import Proposal
from sim.review.policy import load_policy
from sim.speech.voices import Voice, must_speak
from tests.bench.effort import Effort
from tests.bench.figure import Figure, Row
from tests.bench.machine import one_core

VOICE = "flite:slt"
LISTED = 3
"""Of each list of words the first ones, so that hearing all lines takes a minute."""

HOMES, DAYS = 200, 7


def rows(effort: Effort) -> Iterator[Row]:
    """Measure; nobody recognizes what follows a wake, which would take most of the time of both."""
    what = "fleet, stretches played"
    try:
        must_speak(Voice.parse(VOICE))
    except VoiceError as error:
        yield Row(what, peer="drawn as they come", remark=f"skipped: {error}")
        return
    population = _population(effort)
    with one_core() as unbound, TemporaryDirectory() as folder:
        path = Path(folder) / "homes.yaml"
        path.write_text(population.model_dump_json())
        fleet = Fleet(population, about(str(path), None, (("cloud.ears.recognizer", "none"),), 1), HOMES, DAYS)
        said = listenings(population, fleet.lines.texts, ears(population, fleet.about))
        hearing = Hearing(said, [listen(task) for task in said])
        tilted = [fleet.job(number, hearing) for number in range(effort.stretches)]
        play(tilted[0])  # what is loaded comes first
        ours, mine = _played(fleet, tilted)
        theirs, plain = _played(fleet, [_as_it_comes(fleet, job, n) for n, job in enumerate(tilted)])
    remark = f"{len(fleet.lines.texts)} lines in a voice were heard before"
    yield Row(what, "a minute", ours, "drawn as they come", theirs, ours.over(theirs), remark=unbound or remark)
    width = "fleet, width of the 95 % of false wakes"
    yield Row(width, "a device-day", mine, "drawn as they come", plain, plain.over(mine))


def _population(effort: Effort) -> Population:
    """That which ships, with one voice and short lists."""
    one = load_population()
    books = {name: book for name, book in one.books.items() if not book.feedback}
    total = sum(book.share for book in books.values())
    shares = {name: book.model_copy(update={"share": book.share / total}) for name, book in books.items()}
    if effort.stretches < LISTED:  # only to see that it runs
        shares = {"messages": books["messages"].model_copy(update={"share": 1.0})}
    return one.model_copy(
        update={
            "people": one.people.model_copy(update={"voices": (VOICE,)}),
            "television": one.television.model_copy(update={"voices": (VOICE,)}),
            "books": shares,
            "sources": {},
            "lists": {name: words[:LISTED] for name, words in one.lists.items()},
        }
    )


def _as_it_comes(fleet: Fleet, job: Job, number: int) -> Job:
    if not job.drawn.lines:
        return job
    drawn = Proposal(fleet.lines.shares, [], len(job.drawn.lines)).draw(np.random.default_rng([job.seed, number]))
    return job._replace(drawn=drawn)


def _played(fleet: Fleet, jobs: list[Job]) -> tuple[Figure, Figure]:
    """Plays a minute, and how wide the interval is that they leave."""
    began = time.perf_counter()
    found: list[dict[str, Any]] = [{"kind": job.kind, **play(job)} for job in jobs]
    minutes = (time.perf_counter() - began) / 60
    low, high = estimate(found, fleet.stretches, fleet.device_days, load_policy("2019-april"), 1).false_wakes.interval
    return Figure((len(jobs) / minutes,)), Figure((high - low,))
