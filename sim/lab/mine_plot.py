"""How often candidates wake by how far they are from the wake word, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wakeword.canvas import COLOURS, Canvas


class MinePlot:
    """A picture to be; raises WakewordError when matplotlib is missing or the ending is none it can draw."""

    def __init__(self, path: Path) -> None:
        self._canvas = Canvas(path)

    def draw(self, word: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the picture, of `sim.lab.mine.by_distance`. Raises WakewordError."""
        with self._canvas.figure(6.5, 3.8) as figure:
            axes = figure.subplots()
            engines = list(dict.fromkeys(str(row["engine"]) for row in rows))
            for number, (engine, colour) in enumerate(zip(engines, COLOURS, strict=False)):
                own = [row for row in rows if row["engine"] == engine]
                at = [(row["from"] + row["to"]) / 2 + 0.02 * (number - len(engines) / 2) for row in own]
                share = [row["share"] for row in own]
                low = [max(0.0, row["share"] - row["interval"][0]) for row in own]
                up = [max(0.0, row["interval"][1] - row["share"]) for row in own]
                axes.errorbar(at, share, [low, up], fmt="o", color=colour, markersize=4, capsize=2, label=engine)
            title = f"candidates that wake {word} in any voice at any place (95 %)"
            axes.set(xlabel="weighted phone distance", ylabel="share", ylim=(-0.03, 1.03), title=title)
            axes.spines["right"].set_visible(False)
            axes.legend(frameon=False)
