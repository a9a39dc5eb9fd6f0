"""Where the lines of a script lie if no prompt holds anybody up, and what is impossible in it. Pure."""

from __future__ import annotations

from collections.abc import Callable

from device.yaml_model import SettingFault
from sim.scenario.scenario import Scenario
from wakeword.sound import RATE

MS = RATE // 1000
"""Samples."""


def lay_out(scenario: Scenario, length: Callable[[tuple[str, str]], int]) -> list[tuple[int, int]]:
    """Begin and end of each line that is no reaction, in samples; ``length`` gives those of a `Scenario.key`.

    Raises SettingFault for a line that begins before the one that it follows in the script (and so for one before the
    beginning), and for somebody who speaks twice at once. When a line after a reaction comes, nobody knows before.
    """
    placed: list[tuple[int, int]] = []
    busy: dict[str, int] = {}
    last_begin = last_end = 0
    sure = True
    for number, line in enumerate(scenario.script):
        if line.when_heard is not None:
            sure = False
            continue
        begin = last_end + line.gap * MS if line.at_ms is None else line.at_ms * MS
        at, value = ("gap_ms", line.gap) if line.at_ms is None else ("at_ms", line.at_ms)
        least, why = last_begin, "it would begin before the line that it follows in the script"
        if busy.get(line.who, 0) > least:
            least, why = busy[line.who], f"{line.who} is still speaking then"
        if begin < least and sure:
            mend = -((last_end * (at == "gap_ms") - least) // MS)
            raise SettingFault(("script", number, at), value, f"{why}; it can be {mend} at least")
        begin, sure = max(begin, least), True
        last_begin, end = begin, begin + length(scenario.key(line))
        busy[line.who], last_end = end, max(last_end, end)
        placed.append((begin, end))
    return placed
