"""What a loop gained, as a picture: false wakes avoided against true wakes lost, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wakeword.canvas import COLOURS, Canvas

_NAMES = {"threshold": "threshold alone", "learned": "second look,\nlearned", "recognizer": "second look,\nrecognizer"}


def draw(results: Mapping[str, Any], file: Path) -> None:
    """Write the picture; raises WakewordError."""
    ways = results["same_clips"]["ways"]
    bars = (("false_wakes_avoided", "false wakes avoided", -0.18), ("true_wakes_lost", "true wakes lost", 0.18))
    with Canvas(file).figure(7.0, 3.8) as figure:
        axes = figure.subplots()
        for (key, label, aside), colour in zip(bars, COLOURS, strict=False):
            found = [way[key] for way in ways.values()]
            shares = [100 * each["count"] / each["of"] if each["of"] else 0.0 for each in found]
            down = [max(0.0, share - 100 * each["low"]) for share, each in zip(shares, found, strict=True)]
            up = [max(0.0, 100 * each["high"] - share) for share, each in zip(shares, found, strict=True)]
            places = [number + aside for number in range(len(found))]
            axes.bar(places, shares, width=0.34, color=colour, label=label, yerr=[down, up], capsize=4)
            for place, share, each, rise in zip(places, shares, found, up, strict=True):
                text, above = f"{each['count']} of {each['of']}", (place, share + rise)
                axes.annotate(text, above, (0, 2), textcoords="offset points", horizontalalignment="center")
        axes.set_xticks(range(len(ways)), [_NAMES[way] for way in ways])
        axes.set(ylabel="%, with 95 % intervals", ylim=(0, 112), yticks=range(0, 101, 20))
        axes.set_title("Days that nothing was learned from; simulated annotators, synthetic voices", fontsize="medium")
        axes.legend(frameon=False, loc="upper right")
