"""Scores over time as a picture, one row a file. The only file that imports matplotlib (optional)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wakeword.errors import WakewordError
from wakeword.frames import HOP
from wakeword.scored_file import ScoredFile, ScoredWord
from wakeword.sound import RATE
from wakeword.trigger import Detection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_IN, _ROW_IN, _DPI = 11.0, 1.9, 110
_ROWS = 200
"""More rows would pass the 65,536 pixels of height that matplotlib can draw."""

_POINTS = 4000
"""Points a line has at most; of the hops behind one point the highest score counts."""

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's palette, which colour-blind people can tell apart; one a wake word."""

_LABELS = 12
"""Wakes and near misses of a row that are named beside their marks; more would hide each other."""


class Plot:
    """A picture to be: made before the long work, so that what would keep it from being drawn is known by then.

    Raises WakewordError when matplotlib is missing or `rows` are too many.
    """

    def __init__(self, path: Path, rows: int) -> None:
        try:
            import matplotlib
        except ImportError:
            raise WakewordError(
                "a plot needs matplotlib, which is not installed; install it with: pip install matplotlib"
            ) from None
        if rows > _ROWS:
            raise WakewordError(f"a plot has room for {_ROWS} files, not {rows}; plot fewer at a time")
        self._path, self._rc = path, matplotlib.rc_context

    def draw(self, results: Sequence[ScoredFile]) -> None:
        """Write the picture, the same bytes for the same results; raises WakewordError when it cannot be written."""
        from matplotlib.figure import Figure

        with self._rc({"svg.hashsalt": "misheard", "font.size": 9.0, "axes.spines.top": False}):
            figure = Figure(figsize=(_WIDTH_IN, 0.5 + _ROW_IN * len(results)), dpi=_DPI, layout="constrained")
            for axes, result in zip(figure.subplots(len(results), squeeze=False)[:, 0], results, strict=True):
                _draw_row(axes, result)
            axes.set_xlabel("seconds")
            figure.legend(**_legend(figure.axes), loc="outside upper right", ncols=8, frameon=False)
            try:
                figure.savefig(self._path, metadata={"Date": None} if self._path.suffix.lower() == ".svg" else None)
            except OSError as error:
                raise WakewordError(f"the plot {self._path} cannot be written ({error.strerror})") from None


def _draw_row(axes: Axes, result: ScoredFile) -> None:
    axes.set_title(result.file, loc="left", fontsize="medium")
    axes.set_ylabel("score")
    axes.set(xlim=(0, max(result.samples, HOP) / RATE), ylim=(0, 1.05), yticks=(0, 0.5, 1))
    axes.spines["right"].set_visible(False)
    warm_up = min(result.warm_up, result.samples) / RATE
    axes.axvspan(0, warm_up, color="0.93", linewidth=0, label="warming up")
    named = sum(len(word.wakes) + len(word.near_misses) for word in result.words) <= _LABELS
    for word, colour in zip(result.words, _COLOURS * len(result.words), strict=False):
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
    from matplotlib.patheffects import withStroke

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
        text.set_path_effects([withStroke(linewidth=3, foreground="white")])


def _legend(rows: Sequence[Axes]) -> dict[str, Any]:
    """Each label once, whichever rows have it."""
    handles: dict[str, Any] = {}
    for row in rows:
        for handle, label in zip(*row.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    return {"handles": list(handles.values()), "labels": list(handles)}
