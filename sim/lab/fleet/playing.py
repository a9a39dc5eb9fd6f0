"""A stretch as a task: what is asked is where and when, what comes back is how it came out and what it stands for."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from math import log
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from device.config import WakeSettings, load_device
from device.errors import DeviceError
from device.events import Event, Kind
from sim.cloud.recognizer import Listening, Recognizer, load_recognizer
from sim.cloud.settings import CloudSettings, EarSettings, load_cloud
from sim.cloud.transcript import Transcript
from sim.errors import LabError, SimError
from sim.lab.fleet.household import household
from sim.lab.fleet.lines import lines_of
from sim.lab.fleet.population import Population, load_population
from sim.lab.fleet.scene import scene
from sim.lab.fleet.stretch import Drawn
from sim.lab.ledger import digest
from sim.play.outcome import Outcome
from sim.play.setup import Setup
from sim.play.stage import Stage
from sim.scenario import device_settings
from sim.speech.library import load_speech
from wakeword.errors import WakewordError
from wakeword.sound import RATE

COLUMNS: Mapping[str, type] = {
    "step": int,
    "log_weight": float,
    "seconds": float,
    "devices": int,
    "choice": str,
    "woke": bool,
    "false_wakes": int,
    "true_wakes": int,
    "uploaded_s": float,
    "verified": bool,
    "intent": str,
    "contact": str,
    "confirmed": bool,
    "sent": bool,
    "misdirected": int,
    "heard_by": str,
    "stopped": str,
    "highest": float,
    "clips": str,
    "error": str,
}
"""What a row says of a play. `log_weight`: the natural logarithm of its weight, which may be very small. `seconds` were
listened to, by each of the `devices`. `highest`: of all scores. `clips`: the facts and words of each, by which it gets
into a queue of review. `error`: why it could not be played."""


class About(NamedTuple):
    """What the plays of a fleet have in common; workers notice where a file is not what it was."""

    population: str
    cloud: str | None
    settings: tuple[tuple[str, str], ...]
    seed: int
    content: str = ""


class Job(NamedTuple):
    """One play: `kind` is one of `KINDS`, or silence; `seed` is its own. What is said in it comes along."""

    about: About
    home: int
    kind: str
    seed: int
    drawn: Drawn = Drawn()


def about(population: str, cloud: str | None, settings: tuple[tuple[str, str], ...], seed: int) -> About:
    """Give what plays have in common, with its content; raises LabError, SimError, ConfigError."""
    found = About(_absolute(population), None if cloud is None else _absolute(cloud), settings, seed)
    return found._replace(content=content(found))


def _absolute(name: str) -> str:
    return str(Path(name).resolve()) if name.endswith((".yaml", ".yml")) else name


def content(one: About) -> str:
    """The SHA-256 of all that the files say."""
    population = load_population(one.population)
    lines = lines_of(population.model_dump_json())
    return digest([population.model_dump(mode="json"), lines.texts, _cloud(one).model_dump(mode="json")])


def prepared(job: Job) -> Setup:
    """The play; raises SimError."""
    one = job.about
    population = _population(one)
    lines, home = lines_of(population.model_dump_json()), household(population, one.seed, job.home)
    found = scene(population, lines, home, job.kind, job.seed, job.drawn.lines)
    devices = {name: device_settings(found, name, _of_devices(one, home.word)) for name in found.devices}
    return Setup(found, devices, _cloud(one))


@cache
def wake_of(one: About, profile: str, word: str) -> WakeSettings:
    """How the devices of this profile wake where this is their word; raises ConfigError."""
    return load_device(profile, _of_devices(one, word)).wake


def play(job: Job) -> dict[str, Any]:
    """Play it; gives `COLUMNS`. Raises LabError where the files here are not what they were."""
    _must_be_the_same(job.about)
    try:
        drawn = job.drawn
        return {**dict.fromkeys(COLUMNS), "step": drawn.step, "log_weight": log(drawn.weight), **_played(prepared(job))}
    except (SimError, DeviceError, WakewordError) as error:
        return {**dict.fromkeys(COLUMNS), "error": str(error)}


def _played(setup: Setup) -> dict[str, Any]:
    stage = Stage(setup, load_speech(setup.scenario))
    outcome, kept = Outcome(stage.truth), _Kept()
    watch = {name: [outcome.note, kept.note] for name in setup.devices}
    with tempfile.TemporaryDirectory(prefix="misheard-") as state:
        stage.play(_recognizer(setup.cloud.ears), "inprocess", Path(state), watch)
    row = outcome.row()
    return {
        **row,
        "heard_by": ", ".join(row["heard_by"]),
        "true_wakes": outcome.true_wakes,
        "misdirected": outcome.misdirected,
        "seconds": stage.home.clock / RATE,
        "devices": len(setup.devices),
        "choice": setup.scenario.account.choice,
        "highest": round(kept.highest, 4),
        "clips": list(kept.clips.values()),
    }


@dataclass
class _Kept:
    """The highest score, and of each clip what decides on its queue."""

    highest: float = 0.0
    clips: dict[str, dict[str, Any]] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        if event.kind == Kind.HOP:
            scores: Any = event.facts["scores"]
            self.highest = max([self.highest, *scores])
        elif event.kind == Kind.PART and event.facts["number"] == 0:
            facts: Any = event.facts["facts"]
            told = {key: facts[key] for key in ("initiator", "word") if key in facts}
            self.clips[str(event.facts["clip"])] = {**told, "words": None}
        elif event.kind == "transcript":
            words: Any = event.facts["words"]
            self.clips[str(event.facts["clip"])]["words"] = [[word[0], word[3]] for word in words]


class _Late:
    """A recognizer that is loaded when the first clip comes, which most stretches never have."""

    def __init__(self, ears: EarSettings) -> None:
        self._ears = ears
        self._loaded: Recognizer | None = None

    @property
    def name(self) -> str:
        """See `Recognizer.name`."""
        return self._recognizer().name

    def listen(self) -> Listening:
        """See `Recognizer.listen`."""
        return self._recognizer().listen()

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        """See `Recognizer.transcribe`."""
        return self._recognizer().transcribe(samples)

    def _recognizer(self) -> Recognizer:
        if self._loaded is None:
            self._loaded = load_recognizer(self._ears.recognizer, ears=self._ears)
        return self._loaded


@cache
def _recognizer(ears: EarSettings) -> Recognizer:
    """One for all plays of a process: no clip knows of another."""
    return _Late(ears)


def _of_devices(one: About, word: str) -> list[tuple[str, str]]:
    own = [(key, value) for key, value in one.settings if not key.startswith("cloud.")]
    return [("wake.words", f"[{word}]"), *own]


@cache
def _cloud(one: About) -> CloudSettings:
    theirs = [(key.removeprefix("cloud."), value) for key, value in one.settings if key.startswith("cloud.")]
    return load_cloud(one.cloud or "2018", theirs)


@cache
def _population(one: About) -> Population:
    return load_population(one.population)


@cache
def _must_be_the_same(one: About) -> None:
    if content(one) != one.content:
        raise LabError(f"{one.population} is not what it was when this began; put it back, or begin in another folder")
