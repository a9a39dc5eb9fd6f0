"""The funnel as a picture: how many trials came through each link, and what it depended on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sim.lab.factors import Factor
from sim.lab.funnel import Link
from wakeword.canvas import COLOURS, Canvas


class FunnelPlot:
    """A picture to be; raises WakewordError when matplotlib is missing or the ending is none it can draw."""

    def __init__(self, path: Path) -> None:
        self._canvas = Canvas(path)

    def draw(self, name: str, trials: int, links: Sequence[Link], factors: Mapping[str, Sequence[Factor]]) -> None:
        """Write the picture; `factors` are by link. Raises WakewordError."""
        shown = {link: found for link, found in factors.items() if found}
        with self._canvas.figure(11.0 if shown else 6.5, 4.2) as figure:
            panels = figure.subplots(1, 2, width_ratios=[3, 2]) if shown else [figure.subplots()]
            funnel = panels[0]
            stages = [("trials", trials), *((link.name, link.held) for link in links)]
            for number, (_, count) in enumerate(stages):
                width = count / max(1, trials)
                funnel.barh(-number, width, left=-width / 2, height=0.72, color=COLOURS[0], alpha=0.35)
                funnel.text(0, -number, str(count), ha="center", va="center", fontweight="bold")
            for number, link in enumerate(links, 1):
                told = "-" if link.share is None else f"{100 * link.share:.0f} %"
                bounds = f"{100 * link.interval.low:.0f} to {100 * link.interval.high:.0f}"
                funnel.text(0.56, 0.5 - number, f"{told} ({bounds})", va="center", color="0.3")
            funnel.set_yticks([-number for number in range(len(stages))], [stage for stage, _ in stages])
            funnel.set(xlim=(-0.52, 0.95), xticks=[], title=f"{name}: {trials} trials; given the link before (95 %)")
            for side in ("left", "bottom", "right"):
                funnel.spines[side].set_visible(False)
            if shown:
                about, found = next(iter(shown.items()))
                axes = panels[1]
                for number, factor in enumerate(found):
                    colour = COLOURS[1] if factor.shown else "0.6"
                    axes.barh(-number, factor.share, color=colour, alpha=0.5, height=0.6)
                    axes.plot(list(factor.interval), [-number, -number], color=colour, linewidth=2)
                    axes.plot([factor.chance] * 2, [-number - 0.35, -number + 0.35], color="black", linewidth=1)
                axes.set_yticks([-number for number in range(len(found))], [factor.name for factor in found])
                axes.spines["right"].set_visible(False)
                axes.set(title=f"what {about} depends on", xlabel="share of deviance; black: by chance alone")
