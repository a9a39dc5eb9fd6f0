"""What one engine makes of a test set: for every clip, condition and threshold, how many words and how many not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from device.config import WakeSettings
from device.ear import thresholds, trigger_settings
from sim.errors import LabError
from sim.lab.clips import Loaded
from sim.lab.conditions import LEAD, Condition, heard
from sim.lab.detection import THRESHOLDS, Point
from sim.lab.matching import match
from sim.lab.wakes import wakes
from wakeword.frames import whole_hops
from wakeword.scorer import ScorerGroup, Scores, load_scorers


@dataclass(frozen=True)
class Engine:
    """An engine with one model, and the threshold at which it works."""

    label: str
    group: ScorerGroup
    threshold: float
    grid: tuple[float, ...]
    """Thresholds of its curve, its own among them."""

    def facts(self) -> dict[str, str | float]:
        """What identifies it."""
        group = self.group
        about: dict[str, str | float] = {"label": self.label, "engine": group.engine, "model": group.names[0]}
        return about | {"sha256": group.hashes[0], "threshold": self.threshold, "recommended": group.thresholds[0]}


def load_engine(label: str, word: str, settings: WakeSettings) -> Engine:
    """``NAME`` or ``NAME=MODEL``, where the model is another one than `word`. Raises ModelError and EngineMissing."""
    name, _, model = label.partition("=")
    group = load_scorers([model or word], name)
    (threshold,) = thresholds(settings, group).values()
    return Engine(label, group, threshold, tuple(sorted({*THRESHOLDS, threshold})))


@dataclass(frozen=True)
class Outcome:
    """What one engine made of one clip at its own threshold; samples count from the clip's begin."""

    clip: int
    answered: tuple[tuple[int, int], ...]
    """Index of the word, and when it was answered."""
    false: tuple[int, ...]
    """Wakes that answer no word."""
    highest: float


@dataclass
class Tally:
    """Counts of one engine under one condition: `misses` and `false_wakes` are int32[thresholds, clips]."""

    engine: Engine
    condition: Condition
    words: NDArray[np.int32]
    hours: NDArray[np.float64]
    misses: NDArray[np.int32]
    false_wakes: NDArray[np.int32]
    outcomes: list[Outcome] = field(default_factory=list)
    delays: list[tuple[int, int]] = field(default_factory=list)
    """Clip, and samples from the end of a labelled word to its wake."""

    def point(self, number: int, clips: NDArray[np.bool_]) -> Point:
        """The counts at one threshold over some of the clips."""
        return Point(
            self.engine.grid[number],
            int(self.misses[number, clips].sum()),
            int(self.words[clips].sum()),
            int(self.false_wakes[number, clips].sum()),
            float(self.hours[clips].sum()),
        )

    @property
    def own(self) -> int:
        """The number of the engine's own threshold."""
        return self.engine.grid.index(self.engine.threshold)


def tally(
    loaded: Sequence[Loaded],
    engines: Sequence[Engine],
    all_conditions: Sequence[Condition],
    settings: WakeSettings,
    seed: int,
    heard_s: Callable[[float], None] = lambda _s: None,
) -> list[Tally]:
    """Let every engine hear every clip under every condition, all engines the very same sound.

    Order: conditions within engines. `heard_s` is told of the seconds that were scored. Raises LabError where no clip
    is left, RoomError where a room cannot be computed.
    """
    if not loaded:
        raise LabError("no clip is left to count; see what was left out, and why")
    words = np.array([each.words for each in loaded], np.int32)
    hours = np.array([each.silent_hours for each in loaded])
    tallies = {
        (engine.label, condition): Tally(
            engine,
            condition,
            words,
            hours,
            np.zeros((len(engine.grid), len(loaded)), np.int32),
            np.zeros((len(engine.grid), len(loaded)), np.int32),
        )
        for engine in engines
        for condition in all_conditions
    }
    for number, each in enumerate(loaded):
        for condition in all_conditions:
            sound = whole_hops(heard(each.samples, condition, seed, number))
            for engine in engines:
                count(tallies[engine.label, condition], number, each, engine.group.score(sound)[:, 0], settings)
                heard_s(len(sound) / 16_000)
    return list(tallies.values())


def count(into: Tally, number: int, clip: Loaded, scores: Scores, settings: WakeSettings) -> None:
    """Count one clip at every threshold. `scores` are of the sound as `heard`, with what stands before the clip."""
    labelled = clip.clip.words is not None
    spans = clip.clip.words if clip.clip.words is not None else ((0, len(clip.samples)),)
    for row, threshold in enumerate(into.engine.grid):
        found = [at - LEAD for at in wakes(scores, trigger_settings(settings, threshold)) if at > LEAD]
        pairs = match(spans, found)
        answering = {wake for _, wake in pairs}
        into.misses[row, number] = len(spans) - len(pairs)
        # Where nobody wrote down when the word is said, a second wake may be anything.
        into.false_wakes[row, number] = len(found) - len(pairs) if labelled else 0
        if threshold != into.engine.threshold:
            continue
        if labelled:
            into.delays.extend((number, found[wake] - spans[word][1]) for word, wake in pairs)
        false = tuple(at for wake, at in enumerate(found) if wake not in answering)
        answered = tuple((word, found[wake]) for word, wake in pairs)
        into.outcomes.append(Outcome(number, answered, false, round(float(scores.max(initial=0.0)), 6)))
