"""The outcome of a sweep as a picture: for each thing that is varied, the share of what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wakeword.canvas import COLOURS, Canvas

WIDE = 3
"""Panels beside each other."""


class SweepPlot:
    """A picture to be; raises WakewordError when matplotlib is missing or the ending is none it can draw."""

    def __init__(self, path: Path) -> None:
        self._canvas = Canvas(path)

    def draw(self, counted: Mapping[str, Sequence[Mapping[str, Any]]], shares: Sequence[str]) -> None:
        """Write the picture, of `sim.lab.sweep.counted`. Raises WakewordError."""
        high = max(1, -(-len(counted) // WIDE))
        wide = max(1, min(WIDE, len(counted)))
        with self._canvas.figure(3.6 * wide + 0.4, 3.0 * high + 0.4) as figure:
            panels = figure.subplots(high, wide, squeeze=False).ravel()
            for panel in panels[len(counted) :]:
                panel.set_axis_off()
            for panel, (key, values) in zip(panels, counted.items(), strict=False):
                places = range(len(values))
                for share, colour, shift in zip(shares, COLOURS, (-0.12, 0, 0.12), strict=False):
                    at = [place + shift for place in places]
                    middle = [value[share]["share"] for value in values]
                    low = [max(0.0, m - value[share]["interval"][0]) for m, value in zip(middle, values, strict=True)]
                    up = [max(0.0, value[share]["interval"][1] - m) for m, value in zip(middle, values, strict=True)]
                    panel.errorbar(at, middle, [low, up], fmt="o", color=colour, markersize=4, capsize=2, label=share)
                labels = [f"{value['value']}\n({value['rows']})" for value in values]
                panel.set_xticks(list(places), labels, rotation=90 if len(values) > 4 else 0)
                panel.spines["right"].set_visible(False)
                panel.set(title=key, ylim=(-0.03, 1.03), xlim=(-0.5, max(0.5, len(values) - 0.5)))
            handles, labels = panels[0].get_legend_handles_labels()
            if handles:
                figure.legend(handles, labels, loc="outside upper center", ncols=len(shares), frameon=False)
