"""Labels as other programs read them: Audacity, RTTM and Praat's TextGrid. Pure.

A recording has tiers, a tier has marks: samples `begin` to `end`, and a text; where both are the same it is a point.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from wakeword.sound import RATE


@dataclass(frozen=True)
class Mark:
    """Something from sample `begin` to `end`."""

    begin: int
    end: int
    text: str


@dataclass(frozen=True)
class Tier:
    """Marks of one kind in order of time; `speaker`: they are what somebody says, whose name it is."""

    name: str
    marks: tuple[Mark, ...]
    speaker: bool = False


@dataclass(frozen=True)
class Recording:
    """A sound of so many samples, by its name, and what is in it."""

    name: str
    samples: int
    tiers: tuple[Tier, ...]


def audacity(recording: Recording) -> str:
    """A label track: begin, end (seconds) and text, in order; each text begins with its tier."""
    marks = sorted(
        (mark.begin, mark.end, f"{tier.name}: {mark.text}") for tier in recording.tiers for mark in tier.marks
    )
    return "".join(f"{_s(begin)}\t{_s(end)}\t{_line(text)}\n" for begin, end, text in marks)


def rttm(recording: Recording) -> str:
    """Who speaks when (NIST's Rich Transcription Time Marked): a SPEAKER line each. What nobody says is left out.

    Fields have no blanks in them: they become underscores.
    """
    turns = sorted((mark.begin, mark.end, tier.name) for tier in recording.tiers if tier.speaker for mark in tier.marks)
    file = _field(recording.name)
    return "".join(
        f"SPEAKER {file} 1 {begin / RATE:.3f} {(end - begin) / RATE:.3f} <NA> <NA> {_field(who)} <NA> <NA>\n"
        for begin, end, who in turns
    )


def textgrid(recording: Recording) -> str:
    """A TextGrid for Praat, in its long form. Marks that overlap in a tier go on in another of the same name.

    Intervals fill a tier from its begin to its end, so that silence is an empty one; tiers of points are of their own.
    """
    total = max([recording.samples, *(mark.end for tier in recording.tiers for mark in tier.marks), 1])
    tiers = [each for tier in recording.tiers for each in _praat_tiers(tier)]
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {_s(total)}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, tier in enumerate(tiers, 1):
        points = bool(tier.marks) and all(mark.begin == mark.end for mark in tier.marks)
        kind, of = ("TextTier", "points") if points else ("IntervalTier", "intervals")
        marks = tier.marks if points else tuple(_filled(tier.marks, total))
        lines += [f"    item [{number}]:", f'        class = "{kind}"', f"        name = {_quoted(tier.name)}"]
        lines += ["        xmin = 0", f"        xmax = {_s(total)}", f"        {of}: size = {len(marks)}"]
        for index, mark in enumerate(marks, 1):
            lines.append(f"        {of} [{index}]:")
            if points:
                lines += [f"            number = {_s(mark.begin)}", f"            mark = {_quoted(mark.text)}"]
            else:
                lines += [f"            xmin = {_s(mark.begin)}", f"            xmax = {_s(mark.end)}"]
                lines.append(f"            text = {_quoted(mark.text)}")
    return "\n".join(lines) + "\n"


def _praat_tiers(tier: Tier) -> Iterator[Tier]:
    """Points apart from intervals, and intervals so that none overlaps another."""
    points = tuple(mark for mark in tier.marks if mark.begin == mark.end)
    rows: list[list[Mark]] = []
    for mark in sorted((m for m in tier.marks if m.begin != m.end), key=lambda m: (m.begin, m.end)):
        free = next((row for row in rows if row[-1].end <= mark.begin), None)
        if free is None:
            rows.append([mark])
        else:
            free.append(mark)
    for row in rows:
        yield replace(tier, marks=tuple(row))
    if points or not rows:
        yield replace(tier, marks=points)


def _filled(marks: Sequence[Mark], total: int) -> Iterator[Mark]:
    at = 0
    for mark in marks:
        if mark.begin > at:
            yield Mark(at, mark.begin, "")
        yield mark
        at = mark.end
    if at < total:
        yield Mark(at, total, "")


def _s(sample: int) -> str:
    return f"{sample / RATE:.6f}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _field(text: str) -> str:
    return re.sub(r"\s+", "_", text.strip()) or "<NA>"


def _quoted(text: str) -> str:
    return '"' + _line(text).replace('"', '""') + '"'
