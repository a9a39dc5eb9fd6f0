"""The detection-error curve as a picture: misses and false wakes over the threshold, and against each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.lab.detection import Rates
from sim.lab.evaluate import Row
from wakeword.canvas import COLOURS, Canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALLEST = 0.1
"""A rate of 0 has no place on a logarithmic axis: it is drawn so much below the smallest that could be counted."""


FLOOR = "none at all is drawn at the edge"
STEPS = "steps-post"

CLEAR, BAND = 4, 0.12
"""Intervals of so many rows can be told apart as bands of this opacity; of more, curves.csv has them."""


class DetPlot:
    """A picture to be; raises WakewordError when matplotlib is missing or the ending is none it can draw."""

    def __init__(self, path: Path) -> None:
        self._canvas = Canvas(path)

    def draw(self, rows: Sequence[Row], per_hour: float) -> None:
        """Write the picture, of the rows over all voices. Raises WakewordError."""
        shown = [row for row in rows if not row.voice]
        columns = 2 if any(len(row.condition) > 20 for row in shown) else 4
        band = BAND if len(shown) <= CLEAR else 0.0
        with self._canvas.figure(11.0, 4.0 + 0.2 * (len(shown) // columns)) as figure:
            missed, false, against = figure.subplots(1, 3)
            several = len({row.condition for row in shown}) > 1
            for number, row in enumerate(shown):
                colour = COLOURS[number % len(COLOURS)]
                style = "-" if number < len(COLOURS) else "--"
                label = f"{row.engine}, {row.condition}" if several else row.engine
                _over_threshold(missed, false, row, colour, style, label, band)
                _against(against, row, colour, style)
            missed.set(xlabel="threshold", ylabel="miss rate", xlim=(0, 1), ylim=(0, 1))
            false.set(xlabel="threshold", ylabel="false wakes an hour", xlim=(0, 1), yscale="log")
            false.set_title(FLOOR, fontsize="small")
            against.set(xlabel="false wakes an hour", ylabel="miss rate", xscale="log")
            against.set_title(FLOOR, fontsize="small")
            false.yaxis.set_major_formatter("{x:g}")
            against.xaxis.set_major_formatter("{x:g}")
            for axes, line in ((false, false.axhline), (against, against.axvline)):
                if per_hour > 0:
                    line(per_hour, color="0.6", linewidth=0.8, linestyle=(0, (5, 4)))
                axes.spines["right"].set_visible(False)
            handles, labels = missed.get_legend_handles_labels()
            figure.legend(
                handles, labels, loc="outside upper center", ncols=min(columns, max(1, len(labels))), frameon=False
            )


def _floor(row: Row) -> float:
    return SMALLEST / row.evaluation.point.hours


def _false(rates: Rates, floor: float) -> float:
    return max(rates.false_per_hour or 0.0, floor)


def _over_threshold(missed: Axes, false: Axes, row: Row, colour: str, style: str, label: str, band: float) -> None:
    found = row.evaluation
    at = [each.threshold for each in found.curve]
    if found.point.words:
        missed.plot(
            at,
            [each.miss_rate or 0.0 for each in found.curve],
            color=colour,
            linestyle=style,
            label=label,
            drawstyle=STEPS,
        )
        bounds = np.array([each.miss_interval for each in found.curve])
        missed.fill_between(at, bounds[:, 0], bounds[:, 1], color=colour, alpha=band, linewidth=0, step="post")
    else:
        missed.plot([], [], color=colour, linestyle=style, label=label)
    if found.point.hours:
        floor = _floor(row)
        false.plot(at, [_false(each, floor) for each in found.curve], color=colour, linestyle=style, drawstyle=STEPS)
        bounds = np.maximum(np.array([each.false_interval for each in found.curve]), floor)
        false.fill_between(at, bounds[:, 0], bounds[:, 1], color=colour, alpha=band, linewidth=0, step="post")


def _against(axes: Axes, row: Row, colour: str, style: str) -> None:
    """The curve, and the engine's own threshold as a cross of its two intervals."""
    found = row.evaluation
    if not found.point.words or not found.point.hours:
        return
    floor, own = _floor(row), found.at
    rates = [_false(each, floor) for each in found.curve]
    axes.plot(rates, [each.miss_rate or 0.0 for each in found.curve], color=colour, linestyle=style, drawstyle=STEPS)
    x, y = _false(own, floor), own.miss_rate or 0.0
    low, high = max(own.false_interval.low, floor), own.false_interval.high
    axes.plot([min(low, x), high], [y, y], color=colour, linewidth=2.5, alpha=0.4)
    axes.plot([x, x], [own.miss_interval.low, own.miss_interval.high], color=colour, linewidth=2.5, alpha=0.4)
    axes.plot([x], [y], color=colour, marker="o", markersize=5)
