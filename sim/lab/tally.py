"""What one engine makes of a test set: for every clip, condition and threshold, how many words and how many not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from device.config import WakeSettings
from device.ear import thresholds, trigger_settings
from device.second_looks import load_second_looks
from sim.errors import LabError
from sim.lab.clips import Loaded
from sim.lab.conditions import LEAD, Condition, stream_heard
from sim.lab.detection import THRESHOLDS, Point
from sim.lab.matching import match
from sim.lab.wakes import wakes
from wakeword.frames import whole_hops
from wakeword.scorer import ScorerGroup, Scores, load_scorers
from wakeword.second_look import SecondLook
from wakeword.sound import RATE, Samples

Passes = Callable[[int], bool]


@dataclass(frozen=True)
class Engine:
    """An engine with one model, and the threshold at which it works."""

    label: str
    group: ScorerGroup
    threshold: float
    grid: tuple[float, ...]
    """Thresholds of its curve, its own among them."""
    look: SecondLook | None = None
    """The second look of the device, where its settings name one."""

    def facts(self) -> dict[str, str | float]:
        """What identifies it."""
        group = self.group
        about: dict[str, str | float] = {"label": self.label, "engine": group.engine, "model": group.names[0]}
        look = {} if self.look is None else {"verifier": self.look.learned.sha256}
        own: dict[str, str | float] = {
            "sha256": group.hashes[0],
            "threshold": self.threshold,
            "recommended": group.thresholds[0],
        }
        return {**about, **own, **look}


def load_engine(label: str, word: str, settings: WakeSettings) -> Engine:
    """``NAME`` or ``NAME=MODEL``, where the model is another one than `word`.

    Raises ModelError, EngineMissing, and ConfigError for a second look that is none or not of this model.
    """
    name, _, model = label.partition("=")
    group = load_scorers([model or word], name)
    (threshold,) = thresholds(settings, group).values()
    look = load_second_looks(settings, group).get(group.names[0])
    return Engine(label, group, threshold, tuple(sorted({*THRESHOLDS, threshold})), look)


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
            hops = hops_of(stream_heard(each.clip.chunks, each.power, condition, seed, number))
            for engine, scores, passes in scored(hops, engines, heard_s):
                count(tallies[engine.label, condition], number, each, scores, settings, passes)
    return list(tallies.values())


def hops_of(chunks: Iterable[Samples]) -> Iterator[Samples]:
    """The same sound in whole hops, without the rest at the end."""
    rest = np.zeros(0, np.int16)
    for chunk in chunks:
        whole = np.concatenate([rest, chunk])
        hops = whole_hops(whole)
        rest = whole[len(hops) :]
        if len(hops):
            yield hops


def scored(
    sound: Iterable[Samples], engines: Sequence[Engine], heard_s: Callable[[float], None]
) -> Iterator[tuple[Engine, Scores, Passes]]:
    """Scores of each engine, and how its second look judges; only where there is one, the sound is kept."""
    streams = [engine.group.fresh() for engine in engines]
    scores: list[list[Scores]] = [[] for _ in engines]
    kept: list[Samples] = []
    for hops in sound:
        for stream, found in zip(streams, scores, strict=True):
            found.append(stream.push(hops)[:, 0])
        if any(engine.look is not None for engine in engines):
            kept.append(hops)
        heard_s(len(hops) * len(engines) / RATE)
    whole = np.concatenate(kept) if kept else np.zeros(0, np.int16)
    for engine, found in zip(engines, scores, strict=True):
        yield engine, np.concatenate(found), _judge(engine.look, whole)


def _judge(look: SecondLook | None, sound: Samples) -> Passes:
    """As the firmware judges: with too little sound before it, a wake passes."""
    if look is None:
        return lambda _at: True
    known: dict[int, bool] = {}

    def passes(at: int) -> bool:
        if at not in known:
            score = look.score(sound[max(0, at - look.samples) : at])
            known[at] = score is None or score >= look.threshold
        return known[at]

    return passes


def count(
    into: Tally, number: int, clip: Loaded, scores: Scores, settings: WakeSettings, passes: Passes = lambda _at: True
) -> None:
    """Count one clip at every threshold. `scores` are of the sound as `heard`, with what stands before the clip."""
    labelled = clip.clip.words is not None
    spans = clip.clip.words if clip.clip.words is not None else ((0, clip.n_samples),)
    for row, threshold in enumerate(into.engine.grid):
        found = [at - LEAD for at in wakes(scores, trigger_settings(settings, threshold), passes) if at > LEAD]
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
