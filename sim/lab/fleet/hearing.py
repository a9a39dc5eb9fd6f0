"""How near each line of a population comes to waking a device, as the very models that listen there say themselves.

Every line is said once by every voice of the population in one of its rooms, and scored in bulk. It has to be a room:
what wakes in one is mostly not what wakes as it is recorded. In the homes it is heard otherwise again, so
scores only say which lines are to be drawn more often (`sim.lab.fleet.stretch`); how often they wake, plays say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple

import numpy as np
import platformdirs
from numpy.typing import NDArray

from device.rundir import versions
from sim.errors import SimError
from sim.lab.conditions import FROM_WALL_M, LEAD, Condition, Place, heard
from sim.lab.fleet.household import HEIGHT_M
from sim.lab.fleet.population import Population
from sim.lab.ledger import digest
from sim.speech.library import load_lines, write_whole
from sim.speech.manifest import Key, read_manifest, shipped_folder
from sim.speech.voices import Voice, render, renderer
from wakeword.frames import HOP
from wakeword.scorer import ScorerGroup, load_scorers
from wakeword.sound import Samples

TOGETHER = 32
"""Lines of a task, one after the other in one stream."""

PAUSE = 10 * HOP
"""Samples of silence after each: within so much a detector has answered it."""

SMALL = 0.25
"""The room is this part of the way from the smallest, driest and quietest to the largest, most echoing and loudest."""

AWAY_M, AWAY_DB = 1.6, 4.0
"""From so far somebody speaks there, by so much less loud than at 1 m."""

DIGITS = 3
"""Of a score; as many as every processor agrees on."""

UNHEARD = 1e-3
"""No score counts for less, and none for so near to 1: in another room it may be otherwise."""

AT_THRESHOLD, STEEPNESS = -1.0, 0.65
"""Of the logistic curve from log odds of scores over those of the threshold to wakes of lines: by which 225 stretches
of the population that ships, 42 of which woke `alexa` of openWakeWord, were likeliest. A wrong curve makes estimates
less sure, not wrong."""

Chances = NDArray[np.float64]


class Ears(NamedTuple):
    """What listens: the words that `load_scorers` takes, and the engine."""

    engine: str
    words: tuple[str, ...]


class Listening(NamedTuple):
    """Lines, the first of which is number `begin`, in a voice, and what listens to them."""

    begin: int
    texts: tuple[str, ...]
    voice: str
    ears: Ears
    where: Condition


def room_of(population: Population) -> Condition:
    """A small room of a population, with its noise, and somebody who speaks in it as loud as most."""
    room, people = population.room, population.people
    pairs = (room.length_m, room.width_m, room.rt60_s, room.noise_db_spl)
    length, width, rt60, noise_db_spl = (low + SMALL * (high - low) for low, high in pairs)
    snr_db = sum(people.level_db_spl) / 2 - AWAY_DB - noise_db_spl
    return Condition(Place(length, width, HEIGHT_M, rt60, min(AWAY_M, length - 2 * FROM_WALL_M)), snr_db)


def listenings(population: Population, texts: Sequence[str], every: Sequence[Ears]) -> list[Listening]:
    """All that there is to listen to: each line in each voice, with all ears."""
    voices = dict.fromkeys([*population.people.voices, *population.television.voices])
    where = room_of(population)
    return [
        Listening(begin, tuple(texts[begin : begin + TOGETHER]), voice, ears, where)
        for ears in every
        for voice in voices
        for begin in range(0, len(texts), TOGETHER)
    ]


def listen(task: Listening) -> list[float | None]:
    """Of each line the highest score of any word; None where the voice cannot say it. Kept in the user's cache."""
    path = platformdirs.user_cache_path("misheard") / "lines" / f"{_name(task)}.json"
    try:
        kept: list[float | None] = json.loads(path.read_bytes())
    except (OSError, ValueError):  # not there yet, or cut off
        kept = _listened(task)
        with suppress(OSError):  # a cache that cannot be written costs time, nothing else
            write_whole(path, json.dumps(kept).encode())
    return kept


def _name(task: Listening) -> str:
    """Of all that its scores depend on, but the number of its first line."""
    try:
        speaks = renderer(Voice.parse(task.voice))
    except SimError:  # only what ships is said, then
        speaks = "nobody"
    about = [task.texts, task.voice, task.ears, str(task.where)]
    return digest([*about, _scorers(task.ears).hashes, speaks, versions()])


def _listened(task: Listening) -> list[float | None]:
    said = [_said((task.voice, text)) for text in task.texts]
    pause, nothing = np.zeros(PAUSE, np.int16), np.zeros(0, np.int16)
    lines = [np.concatenate([nothing if each is None else each, pause]) for each in said]
    sound = heard(np.concatenate(lines), task.where, 0, 0)
    scores = _scorers(task.ears).score(sound).max(axis=1)
    ends = (LEAD + np.cumsum([0, *map(len, lines)])) // HOP
    return [
        None if each is None else round(float(scores[begin:end].max()), DIGITS)
        for each, begin, end in zip(said, ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]


def _said(key: Key) -> Samples | None:
    if key in _shipped():
        return load_lines([key])[key]
    try:
        return render(Voice.parse(key[0]), key[1])
    except SimError:  # a play in which it is to be said will tell why
        return None


@cache
def _shipped() -> Mapping[Key, object]:
    return read_manifest(shipped_folder())


@cache
def _scorers(ears: Ears) -> ScorerGroup:
    return load_scorers(ears.words, ears.engine)


class Hearing:
    """What came of all listenings."""

    def __init__(self, tasks: Sequence[Listening], results: Sequence[Sequence[float | None]]) -> None:
        self._highest: dict[tuple[Ears, str], list[float]] = {}
        for task, found in zip(tasks, results, strict=True):
            self._highest.setdefault((task.ears, task.voice), []).extend(each or 0.0 for each in found)

    def chances(self, ears: Ears, threshold: float, voices: Sequence[str]) -> Chances:
        """float64[n]: about how likely each line is to wake, said by any of these voices."""
        each = [chance(np.array(self._highest[ears, voice]), threshold) for voice in voices]
        found: Chances = np.mean(each, axis=0)
        return found


def chance(highest: NDArray[np.float64], threshold: float) -> Chances:
    """About how likely it is to wake in a home what has this highest score in that room; fitted as told above."""
    over = _log_odds(highest) - _log_odds(np.array(threshold))
    found: Chances = 1 / (1 + np.exp(-(AT_THRESHOLD + STEEPNESS * over)))
    return found


def _log_odds(score: NDArray[np.float64]) -> Chances:
    bounded = np.clip(score, UNHEARD, 1 - UNHEARD)
    found: Chances = np.log(bounded / (1 - bounded))
    return found
