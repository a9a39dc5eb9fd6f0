"""The study and one's own media as a picture: rates, how long the light was on, and repeatability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sim.lab.pets.repeat import CLASSES
from sim.lab.pets.report import Line
from wakeword.canvas import COLOURS, Canvas

LONGEST_S = 12
"""Longer lights share the last bar."""


class PetsPlot:
    """A picture to be; raises WakewordError when matplotlib is missing or the ending is none it can draw."""

    def __init__(self, path: Path) -> None:
        self._canvas = Canvas(path)

    def draw(self, study: Sequence[Line], own: Sequence[Line], durations: Mapping[int, int]) -> None:
        """Write the picture; either may be empty. Raises WakewordError."""
        lines = [*(line for line in study if line.published), *own]
        places = np.arange(len(lines))[::-1]
        ours = [line in own for line in lines]
        with self._canvas.figure(12.0, 1.4 + 0.32 * max(len(lines), 6)) as figure:
            rates, lights, repeats = figure.subplots(1, 3, width_ratios=(4, 3 if durations else 0.01, 3))
            for place, line, mine in zip(places, lines, ours, strict=True):
                found, colour = line.all_shows, COLOURS[1] if mine else COLOURS[0]
                low, high = found.per_hour_interval
                rates.plot([low, high], [place, place], color=colour, linewidth=2.5, alpha=0.4)
                rates.plot([found.per_hour], [place], color=colour, marker="o", markersize=5)
            rates.set(xlabel="false wakes an hour, 95 %", yticks=places, yticklabels=[line.label for line in lines])
            rates.set_xlim(left=0)
            seconds = np.arange(LONGEST_S + 1)
            heights = [sum(n for s, n in durations.items() if min(s, LONGEST_S) == each) for each in seconds]
            lights.bar(seconds, heights, color=COLOURS[0])
            lights.set(xlabel="seconds of light, each pass", ylabel="activations of Echos", xticks=seconds[::2])
            lights.set_visible(bool(durations))
            left = np.zeros(len(lines))
            for number, name in enumerate(CLASSES):
                shares = np.array([line.classes[number].share for line in lines])
                repeats.barh(places, shares, left=left, color=COLOURS[2 + number], label=name)
                left += shares
            repeats.set(xlabel="share by repeatability", yticks=[], xlim=(0, 1))
            for axes in (rates, lights, repeats):
                axes.spines["right"].set_visible(False)
            figure.legend(*repeats.get_legend_handles_labels(), loc="outside upper right", ncols=3, frameon=False)
