"""Says candidates for accidental wakes and scores them: alone, in sentences, and replayed under other conditions.

Everything here is a task: a few words in, plain numbers out. A score is the highest of all hops; whether the device
wakes depends on how its hops of 80 ms happen to lie, so everything is scored at eight places of 10 ms.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from sim.cloud.settings import VerifierSettings
from sim.cloud.verifier import AFTER, Opening, Verifier, load_verifier
from sim.errors import SimError
from sim.home.levels import amplitude
from sim.lab.conditions import LEAD, Condition, Place, heard
from sim.speech.voices import Voice, render
from wakeword.frames import HOP
from wakeword.scorer import ScorerGroup, load_scorers
from wakeword.sound import RATE, Samples
from wakeword.span import word_span

PHASE = RATE // 100
PHASES = HOP // PHASE

TAIL = 8 * HOP
"""After the words: within so much a detector has answered them."""

SILENT_HOPS = {"openwakeword": 0, "micro": 13}
"""Hops after which a fresh state is that after any longer silence; other engines hear all of `LEAD` first."""

CARRIERS = (
    "{}, if you ask me.",
    "That is {}.",
    "I said {} and went home.",
    "{}, and then we had tea.",
    "Was it {} or not?",
)
"""Sentences about nothing, that say nothing like a wake word."""

PRE_ROLL = RATE // 2
"""Samples before the word that the far end has of it."""

REPLAYS = 10
_ROOMS = (None, Place(4.0, 3.5, 2.5, 0.3, 1.5), Place(6.0, 4.5, 2.6, 0.4, 3.0))
_SNRS_DB = (None, 20.0, 10.0)
_LEVELS_DB = (-12.0, 3.0)


class Saying(NamedTuple):
    """Words in a voice, and the engines that listen for the wake word `word`."""

    text: str
    voice: str
    word: str
    engines: tuple[str, ...]


class Replaying(NamedTuple):
    """The same, replayed: what is drawn depends on `seed` and `number`; `look`: how the far end looks again."""

    saying: Saying
    seed: int
    number: int
    look: str = "none"


def score(task: Saying) -> dict[str, Any]:
    """Say it; gives by engine the highest score at each of the eight places, or under ``error`` why it is not said."""
    try:
        said = _said(task)
    except SimError as error:
        return {"error": str(error)}
    return {engine: _peaks(_scorers(task.word, engine), said) for engine in task.engines}


def replay(task: Replaying) -> dict[str, Any]:
    """Say it ten times, each under a drawn condition; gives these in words, and by engine the highest score of each.

    Under ``passed``: whether what woke the first engine passed the second look; None where it did not wake, or nobody
    looked.
    """
    try:
        said = _said(task.saying)
    except SimError as error:
        return {"error": str(error)}
    rng = np.random.default_rng([task.seed, task.number])
    found: dict[str, Any] = {"conditions": [], "passed": [], **{engine: [] for engine in task.saying.engines}}
    for number in range(REPLAYS):
        at = int(rng.integers(HOP))
        level = _LEVELS_DB[0] + float(rng.random()) * (_LEVELS_DB[1] - _LEVELS_DB[0])
        condition = Condition(_ROOMS[int(rng.integers(3))], _SNRS_DB[int(rng.integers(3))])
        quiet = np.clip(np.rint(said * amplitude(level)), -32768, 32767).astype(np.int16)
        sound = heard(quiet, condition, task.seed, task.number * REPLAYS + number)
        found["conditions"].append(f"{condition}, {level:+.1f} dB, {at} samples late")
        late = np.concatenate([np.zeros(at, np.int16), sound])
        for engine in task.saying.engines:
            scorers = _scorers(task.saying.word, engine)
            scores = scorers.score(late)[LEAD // HOP :, 0]
            found[engine].append(round(float(scores.max()), 4))
            if engine == task.saying.engines[0]:
                woke = np.flatnonzero(scores >= scorers.thresholds[0])
                end = LEAD + (int(woke[0]) + 1) * HOP if len(woke) else None
                found["passed"].append(None if end is None else look_again(task, late, end))
    return found


def look_again(task: Replaying, sound: Samples, woke: int) -> bool | None:
    """Whether a wake at this sample passes the second look; None where nobody looks."""
    verifier = _verifier(task.look)
    if verifier is None:
        return None
    first, last = word_span(task.saying.word, woke)
    begin = first - PRE_ROLL
    opening = Opening("replay", task.saying.word, sound[begin : last + AFTER], PRE_ROLL, last - begin)
    verdict = verifier.look(opening)
    return None if verdict is None else verdict.passed


@lru_cache(maxsize=1)
def _verifier(look: str) -> Verifier | None:
    return load_verifier(VerifierSettings.model_validate({"method": look}))


def fires(scores: list[float], threshold: float) -> int:
    """How many of the scores reach the engine's threshold."""
    return sum(each >= threshold for each in scores)


def in_sentence(carrier: str, words: str) -> str:
    """A sentence with these words, begun with a capital."""
    said = carrier.format(words)
    return said[0].upper() + said[1:]


def _said(task: Saying) -> Samples:
    return render(Voice.parse(task.voice), task.text)


def _peaks(scorers: ScorerGroup, said: Samples) -> list[float]:
    """By place; those a whole period apart are the same, and heard once."""
    differ = min(PHASES, math.lcm(scorers.period, PHASE) // PHASE)
    peaks = [_peak(scorers, said, at * PHASE) for at in range(differ)]
    return [peaks[at % differ] for at in range(PHASES)]


def _peak(scorers: ScorerGroup, said: Samples, at: int) -> float:
    before = SILENT_HOPS.get(scorers.engine, LEAD // HOP) * HOP
    sound = np.concatenate([np.zeros(before + at, np.int16), said, np.zeros(TAIL, np.int16)])
    return round(float(scorers.score(sound)[before // HOP :, 0].max()), 4)


@lru_cache(maxsize=8)
def _scorers(word: str, engine: str) -> ScorerGroup:
    return load_scorers([word], engine)
