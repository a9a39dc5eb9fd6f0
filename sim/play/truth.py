"""What was really said and meant, which only the home knows: judges wakes and messages. Nothing else may ask it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sim.home.truth import SpokenLine

_CALLED_OFF = ("cancel", "stop")


class Truth:
    """The truth of a play as far as it has gone; `lines()` gives what was said so far, in order of time."""

    def __init__(self, lines: Callable[[], Sequence[SpokenLine]]) -> None:
        self.lines = lines

    def addressed(self, begin: int, end: int) -> bool:
        """Whether somebody spoke to a device between two samples."""
        return any(line.to is not None for line in self._between(begin, end))

    def meant(self, message: Mapping[str, Any], begin: int, end: int) -> bool:
        """Whether somebody, between two samples, meant to send a message to this contact, and did not call it off."""
        asked = False
        to: set[str] = set()
        for means in [line.means for line in self._between(begin, end) if line.means is not None]:
            if means.get("intent") in _CALLED_OFF or means.get("confirm") is False:
                asked = False
                to.clear()
            asked = asked or means.get("intent") == "send_message"
            if "contact" in means:
                to.add(str(means["contact"]))
        return asked and message["to"] in to

    def said(self, begin: int, end: int) -> str:
        """The words of which at least a half lies between two samples; a line that is cut has an ellipsis there."""
        pieces = []
        for line in self._between(begin, end):
            inside = [k for k, (_, first, last) in enumerate(line.words) if begin <= (first + last) // 2 < end]
            if len(inside) == len(line.words):
                pieces.append(line.text)
            elif inside:
                words = " ".join(line.words[k][0] for k in inside)
                cut = ("… " * (inside[0] > 0), " …" * (inside[-1] < len(line.words) - 1))
                pieces.append(f"{cut[0]}{words}{cut[1]}")
        return " ".join(pieces)

    def _between(self, begin: int, end: int) -> list[SpokenLine]:
        return [line for line in self.lines() if line.begin < end and begin < line.end]
