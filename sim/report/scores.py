"""The lane of a wake word: its score hop by hop, its threshold, and where it woke the device or nearly did."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sim.report.envelope import pack, thin
from sim.report.folder import Run
from sim.report.lane import Curve, Lane, Span
from sim.report.wording import STATES, clock
from wakeword.frames import HOP


def score_lanes(run: Run) -> Iterator[Lane]:
    """Give a lane for each wake word, where there are scores or marks."""
    for column, word in enumerate(run.outcome.manifest.words):
        spans, threshold = tuple(_marks(run, word)), threshold_of(run, word)
        curve = _curve(run.scores[:, column], threshold)
        if curve is not None or spans:
            at = "score 0 to 1" if threshold is None else f"score, threshold {threshold:g}"
            yield Lane("score", f"“{word}”", f"{at}; ▲ woke, ○ near miss", spans, curve=curve)


def muted(run: Run) -> Iterator[tuple[int, int]]:
    """Stretches in which the microphone was off; one that never ended lasts to the last event."""
    since: int | None = None
    for sample, facts in run.of("mute"):
        if facts["muted"] and since is None:
            since = sample
        elif not facts["muted"] and since is not None:
            yield since, sample
            since = None
    if since is not None:
        yield since, run.last


def _curve(scores: NDArray[np.float32], threshold: float | None) -> Curve | None:
    if not len(scores):
        return None
    factor, values = thin(scores)
    return Curve(factor * HOP, threshold, pack(values))


def threshold_of(run: Run, word: str) -> float | None:
    """Give what the manifest says; where that is gone, an event may have told."""
    told = (facts["threshold"] for _, facts in run.of("wake", "near_miss") if facts["word"] == word)
    return run.outcome.manifest.thresholds.get(word) or next(told, None)


def _marks(run: Run, word: str) -> Iterator[Span]:
    for at, facts in run.of("wake"):
        if facts["word"] == word:
            about = [f"woke the device: score {facts['score']:.3f}, threshold {facts['threshold']:g}"]
            if isinstance(begin := facts.get("word_begin"), int) and isinstance(end := facts.get("word_end"), int):
                about.append(f"word at {clock(begin)} to {clock(end)}")
            yield Span(at, at, f"{facts['score']:.2f}", "wake", tuple(about), facts["score"])
    for _, facts in run.of("near_miss"):
        if facts["word"] == word:
            about = [f"near miss: score {facts['score']:.3f}, threshold {facts['threshold']:g}"]
            yield Span(facts["peak"], facts["peak"], "", "near-miss", tuple(about), facts["score"])
    for at, facts in run.of("wake_refused"):
        if facts["word"] == word:
            state = STATES.get(facts["state"], facts["state"])
            about = [f"heard again, score {facts['score']:.3f}, while {state}"]
            yield Span(at, at, "", "refused", tuple(about), facts["score"])
