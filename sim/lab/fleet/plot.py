"""The fleet as a picture: false wakes by where they come from, and how rare each link to a message is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.lab.fleet.estimate import MILLION, Estimates, Figure
from sim.lab.fleet.report import PETS, PETS_RATE, scaled
from wakeword.canvas import COLOURS, Canvas

_LINKS = {
    "wake": "false wake",
    "intent": "taken for\n“send a message”",
    "contact": "a contact",
    "confirmation": "a yes",
}

Bar = tuple[str, Figure, str, str]
"""Name, figure, colour, and what stands beside it."""


class FleetPlot:
    """A picture to be; raises WakewordError when matplotlib is missing or the ending is none it can draw."""

    def __init__(self, path: Path) -> None:
        self._canvas = Canvas(path)

    def draw(self, title: str, found: Estimates) -> None:
        """Write it. Raises WakewordError."""
        with self._canvas.figure(11.0, 4.0) as figure:
            wakes, chain = figure.subplots(1, 2, width_ratios=[5, 4])
            _draw(wakes, _wakes(found), "false wakes of a device and day (95 %)")
            _draw(chain, _chain(found), "how often on a device and day (95 %); plays that held")
            figure.suptitle(title, fontsize=10)


def _wakes(found: Estimates) -> list[Bar]:
    bars = [("all", found.false_wakes, COLOURS[0], "")]
    bars += [(kind, each, COLOURS[0], "") for kind, each in found.by_kind.items()]
    if found.television_day is not None:
        bars.append(("a day of television alone", found.television_day, COLOURS[1], ""))
        bars.append(("an Echo in such a day\n(PETS 2020)", Figure(PETS_RATE, PETS, 1, 1.0), "0.4", ""))
    return bars


def _chain(found: Estimates) -> list[Bar]:
    bars = [
        (_LINKS.get(link.name, link.name), link.rate, COLOURS[0], f"{link.held}/{link.came}")
        for link in found.links[:-1]
        if link.came
    ]
    return [*bars, ("message", scaled(found.messages, 1 / MILLION), COLOURS[1], f"{found.messages.seen}")]


def _draw(axes: Any, bars: list[Bar], about: str) -> None:
    """One below the other, by their order of magnitude; what was not seen is an arrow from its bound on."""
    for at, (_, figure, colour, beside) in enumerate(bars):
        low, high = figure.interval
        if figure.seen:
            axes.plot([max(low, figure.value / 1000), high], [at, at], color=colour, linewidth=2)
            axes.plot([figure.value], [at], "o", color=colour, markersize=6)
        else:
            axes.plot([high], [at], "<", color=colour, markersize=7)
        axes.annotate(beside, (high, at), (7, 0), textcoords="offset points", va="center")
    axes.set(xscale="log", xlabel=about, ylim=(len(bars) - 0.5, -0.5))
    axes.set_yticks(range(len(bars)), [name for name, _, _, _ in bars])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda _value, _at: "")
    axes.margins(x=0.1)
    axes.spines["right"].set_visible(False)
