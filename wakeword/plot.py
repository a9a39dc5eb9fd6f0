"""Scores over time as a picture, one row a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wakeword.canvas import COLOURS, Canvas, halo, legend
from wakeword.errors import WakewordError
from wakeword.frames import HOP
from wakeword.scored_file import ScoredFile, ScoredWord
from wakeword.sound import RATE
from wakeword.trigger import Detection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_IN, _ROW_IN = 11.0, 1.9
_ROWS = 200
"""More rows would pass the 65,536 pixels of height that matplotlib can draw."""

_POINTS = 4000
"""Points a line has at most; of the hops behind one point the highest score counts."""

_LABELS = 12
"""Wakes and near misses of a row that are named beside their marks; more would hide each other."""


class Plot:
    """A picture to be: made before the long work, so that what would keep it from being drawn is known by then.

    Raises WakewordError when matplotlib is missing or `rows` are too many.
    """

    def __init__(self, path: Path, rows: int) -> None:
        self._canvas = Canvas(path)
        if rows > _ROWS:
            raise WakewordError(f"a plot has room for {_ROWS} files, not {rows}; plot fewer at a time")

    def draw(self, results: Sequence[ScoredFile]) -> None:
        """Write the picture, the same bytes for the same results; raises WakewordError when it cannot be written."""
        with self._canvas.figure(_WIDTH_IN, 0.5 + _ROW_IN * len(results)) as figure:
            for axes, result in zip(figure.subplots(len(results), squeeze=False)[:, 0], results, strict=True):
                _draw_row(axes, result)
            axes.set_xlabel("seconds")
            figure.legend(**legend(figure.axes), loc="outside upper right", ncols=8, frameon=False)


def _draw_row(axes: Axes, result: ScoredFile) -> None:
    axes.set_title(result.file, loc="left", fontsize="medium")
    axes.set_ylabel("score")
    axes.set(xlim=(0, max(result.samples, HOP) / RATE), ylim=(0, 1.05), yticks=(0, 0.5, 1))
    axes.spines["right"].set_visible(False)
    warm_up = min(result.warm_up, result.samples) / RATE
    axes.axvspan(0, warm_up, color="0.93", linewidth=0, label="warming up")
    named = sum(len(word.wakes) + len(word.near_misses) for word in result.words) <= _LABELS
    for word, colour in zip(result.words, COLOURS * len(result.words), strict=False):
        threshold = word.settings.threshold
        axes.axhline(threshold, color=colour, linewidth=0.8, linestyle=(0, (5, 4)), label=f"threshold {threshold:g}")
        axes.axhspan(
            word.settings.near_miss_from, threshold, color=colour, alpha=0.08, linewidth=0, label="near-miss margin"
        )
        _draw_scores(axes, word, colour)
        _mark(axes, word.near_misses, named, colour, marker="o", facecolor="white", label="near miss")
        _mark(axes, word.wakes, named, colour, marker="v", facecolor=colour, label="wake")


def _draw_scores(axes: Axes, word: ScoredWord, colour: str) -> None:
    together = -(-len(word.scores) // _POINTS) or 1
    first = np.arange(0, len(word.scores), together)
    highest = np.maximum.reduceat(word.scores, first) if len(first) else word.scores
    edges = np.append(first, len(word.scores)) * HOP / RATE
    axes.stairs(highest, edges, baseline=None, color=colour, linewidth=1.2, label=word.name)


def _mark(axes: Axes, found: Sequence[Detection], named: bool, colour: str, **style: Any) -> None:
    """Marks at the peaks; a wake's peak is the score that fired, on the rising side of the word."""
    if not found:
        return
    times = [(each.peak_sample - HOP / 2) / RATE for each in found]
    axes.scatter(times, [each.score for each in found], s=36, edgecolor=colour, zorder=3, clip_on=False, **style)
    for each, time in zip(found if named else (), times, strict=False):
        late = time > axes.get_xlim()[1] / 8
        text = axes.annotate(
            f"{each.score:.2f} at {each.sample / RATE:.2f} s",
            (time, each.score),
            (-8 if late else 8, 0),
            textcoords="offset points",
            horizontalalignment="right" if late else "left",
            verticalalignment="center",
            fontsize="small",
            color=colour,
        )
        text.set_path_effects(halo())
