"""The study's figures and those of one's own media, as rows that lie side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sim.lab.pets.counts import (
    SETTINGS,
    Cell,
    PerDay,
    Setting,
    Share,
    cell,
    cells,
    durations,
    highest,
    per_device_day,
    share_between,
)
from sim.lab.pets.data import Study
from sim.lab.pets.media import FilmWake, Medium
from sim.lab.pets.repeat import ClassShare, classes, repeated

SHORT_S, LONG_S = (0, 1), (5, 6)
"""The two heaps of durations."""


@dataclass(frozen=True)
class Line:
    """One setting, or one engine of ours: all shows, the show with the highest rate, and the classes."""

    label: str
    all_shows: Cell
    worst: Cell
    classes: tuple[ClassShare, ...]
    published: bool = True


@dataclass(frozen=True)
class StudyReport:
    """The study's figures, and `maximum`, which was published as 0.95 an hour and 1.43 per 10,000 words."""

    lines: tuple[Line, ...]
    maximum: tuple[Setting, Cell]
    per_day: dict[str, PerDay]
    durations: dict[int, int]
    short: Share
    long: Share
    cells: tuple[tuple[Setting, Cell], ...]

    def facts(self) -> dict[str, Any]:
        """As `results.json` has it."""
        setting, most = self.maximum
        return {
            "settings": [asdict(line) for line in self.lines],
            "maximum": {"setting": setting.label, **asdict(most)},
            "per_device_day": {testbed: asdict(found) for testbed, found in self.per_day.items()},
            "durations_s": self.durations,
            "short": {"seconds": SHORT_S, **asdict(self.short)},
            "long": {"seconds": LONG_S, **asdict(self.long)},
            "cells": [{"setting": s.label, "published": s.published, **asdict(c)} for s, c in self.cells],
        }


def study_report(study: Study) -> StudyReport:
    """Everything that the cameras of the US testbed saw; pooled rates also of the UK's."""
    rows = [(setting, found) for setting in SETTINGS for found in cells(study, setting)]
    lines = []
    for setting in SETTINGS:
        own = [found for s, found in rows if s == setting]
        (every,) = (found for found in own if not found.show)
        kinds = tuple(classes(repeated(study, setting)))
        lines.append(Line(setting.label, every, _worst(own), kinds, setting.published))
    counted = durations(study)
    return StudyReport(
        tuple(lines),
        highest(rows),
        {testbed: per_device_day(study, testbed) for testbed in ("us", "uk")},
        counted,
        share_between(counted, *SHORT_S),
        share_between(counted, *LONG_S),
        tuple(rows),
    )


def _worst(found: Sequence[Cell]) -> Cell:
    return max((one for one in found if one.show), key=lambda one: one.per_hour)


def own_lines(media: Sequence[Medium], wakes: Sequence[FilmWake], engines: Sequence[str]) -> list[Line]:
    """The same of our devices: rates from the first two passes, classes of what woke in them over all passes."""
    lines = []
    for engine in engines:
        false = [each for each in wakes if each.engine == engine and each.early and not each.said]
        found = [
            cell(each.path.stem, sum(wake.medium == each.path.stem for wake in false), each.hours, each.words)
            for each in media
        ]
        hours, words = sum(each.hours for each in media), sum(each.words for each in media)
        every = cell("", len(false), hours, words)
        lines.append(Line(engine, every, _worst(found), tuple(classes(wake.repeated for wake in false))))
    return lines
