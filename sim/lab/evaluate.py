"""The evaluation of engines on a test set, as rows: over all, by voice, and by condition."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.config import WakeSettings
from sim.errors import LabError
from sim.lab.clips import Clip, LeftOut, Loaded, load
from sim.lab.conditions import Condition
from sim.lab.detection import Evaluation, Rates, evaluate
from sim.lab.suspects import Suspect
from sim.lab.tally import Engine, Tally, tally
from sim.speech.voices import Voice, renderer
from wakeword.sound import RATE

PER_HOUR = 0.5
"""The wished-for rate of false wakes where no other is named: what openWakeWord's and microWakeWord's makers aim at."""


@dataclass(frozen=True)
class Plan:
    """What is to be evaluated: the same clips by every engine under every condition."""

    word: str
    clips: tuple[Clip, ...]
    engines: tuple[Engine, ...]
    conditions: tuple[Condition, ...]
    settings: WakeSettings
    seed: int = 0
    per_hour: float = PER_HOUR

    @property
    def voices(self) -> tuple[str, ...]:
        """Those that read texts out."""
        return tuple(dict.fromkeys(clip.voice for clip in self.clips if clip.read_out))

    def manifest(self, loaded: Sequence[Loaded]) -> dict[str, Any]:
        """From what it can be repeated; `clips` is the hash of all clips' names, labels and samples."""
        told = [f"{each.clip.name}\0{each.clip.words}\0{each.sha256}" for each in loaded]
        return {
            "word": self.word,
            "engines": [engine.facts() for engine in self.engines],
            "conditions": [str(condition) for condition in self.conditions],
            "wake": self.settings.model_dump(mode="json"),
            "seed": self.seed,
            "per_hour": self.per_hour,
            "voices": {each: renderer(Voice.parse(each)) for each in self.voices},
            "clips": hashlib.sha256("\n".join(told).encode()).hexdigest(),
        }


@dataclass(frozen=True)
class Row:
    """One evaluation: of an engine under a condition, over all voices (``""``) or one."""

    engine: str
    condition: str
    voice: str
    evaluation: Evaluation

    def facts(self) -> dict[str, Any]:
        """As `results.json` has it; without the curve where it is of one voice."""
        found = self.evaluation
        about = {"engine": self.engine, "condition": self.condition, "voice": self.voice}
        told = {**about, **_rates(found.at, found), "wished": asdict(found.wished)}
        told["delay"] = None if found.delay is None else asdict(found.delay)
        return told if self.voice else {**told, "curve": [_rates(each, None) for each in found.curve]}


def _rates(rates: Rates, found: Evaluation | None) -> dict[str, Any]:
    told = asdict(rates)
    return told if found is None else {**asdict(found.point), **told}


@dataclass(frozen=True)
class Evaluated:
    """All of it: rows in order of engines and conditions, each with its voices after it."""

    plan: Plan
    loaded: tuple[Loaded, ...]
    left_out: tuple[LeftOut, ...]
    tallies: tuple[Tally, ...]
    rows: tuple[Row, ...]

    def results(self, suspected: Sequence[Suspect]) -> dict[str, Any]:
        """What goes into `results.json` beside the manifest."""
        return {
            "set": self.summary(),
            "rows": [row.facts() for row in self.rows],
            "left_out": [asdict(each) for each in self.left_out],
            "suspected": [asdict(each) for each in suspected],
            "clips": self.clips(),
        }

    def summary(self) -> dict[str, Any]:
        """How much sound it is."""
        loaded = self.loaded
        return {
            "clips": len(loaded),
            "positive_clips": sum(each.clip.positive for each in loaded),
            "words": sum(each.words for each in loaded),
            "hours": sum(each.n_samples for each in loaded) / RATE / 3600,
            "hours_without_the_word": sum(each.silent_hours for each in loaded),
        }

    def clips(self) -> list[dict[str, Any]]:
        """Every clip, with what each engine made of it at its own threshold."""
        outcomes: dict[int, list[dict[str, Any]]] = {}
        for each in self.tallies:
            for outcome in each.outcomes:
                told = {"engine": each.engine.label, "condition": str(each.condition), "highest": outcome.highest}
                told["answered_s"] = [round(at / RATE, 3) for _, at in outcome.answered]
                told["false_s"] = [round(at / RATE, 3) for at in outcome.false]
                outcomes.setdefault(outcome.clip, []).append(told)
        return [
            {
                "name": each.clip.name,
                "voice": each.clip.voice,
                "seconds": each.n_samples / RATE,
                "words_s": None if each.clip.words is None else [[b / RATE, e / RATE] for b, e in each.clip.words],
                "sha256": each.sha256,
                "heard": outcomes.get(number, []),
            }
            for number, each in enumerate(self.loaded)
        ]


def run(plan: Plan, heard_s: Callable[[float], None] = lambda _s: None) -> Evaluated:
    """Read, score and count. Raises LabError for a set that is wrong or of which nothing is left."""
    found = list(load(plan.clips))
    loaded = tuple(each for each in found if isinstance(each, Loaded))
    left_out = tuple(each for each in found if isinstance(each, LeftOut))
    if not loaded:
        why = f"; the first, {left_out[0].clip}: {left_out[0].why}" if left_out else ""
        raise LabError(f"none of the {len(plan.clips)} clips can be counted{why}")
    tallies = tuple(tally(loaded, plan.engines, plan.conditions, plan.settings, plan.seed, heard_s))
    return Evaluated(plan, loaded, left_out, tallies, tuple(_rows(plan, loaded, tallies)))


def _rows(plan: Plan, loaded: Sequence[Loaded], tallies: Sequence[Tally]) -> list[Row]:
    voices: Mapping[str, None] = dict.fromkeys(each.clip.voice for each in loaded)
    of = np.array([each.clip.voice for each in loaded])
    every = np.ones(len(loaded), bool)
    rows = []
    for each in tallies:
        groups = [("", every), *((voice, of == voice) for voice in voices if voice and len(voices) > 1)]
        for voice, clips in groups:
            rows.append(Row(each.engine.label, str(each.condition), voice, _evaluated(plan, each, clips)))
    return rows


def _evaluated(plan: Plan, of: Tally, clips: NDArray[np.bool_]) -> Evaluation:
    points = [of.point(number, clips) for number in range(len(of.engine.grid))]
    delays = [samples for clip, samples in of.delays if clips[clip]]
    return evaluate(points, points[of.own], delays, plan.per_hour)
