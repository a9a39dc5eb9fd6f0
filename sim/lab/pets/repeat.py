"""How repeatable activations are: in how many of twelve passes over the same sound a device wakes again.

The classes are by the share of passes: `high` from three quarters on, `low` up to a quarter, `medium` between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sim.lab.intervals import Interval, wilson
from sim.lab.pets.counts import GROUPS, MERGE_S, Setting, merged
from sim.lab.pets.data import Study

CLASSES = ("low", "medium", "high")
LOW, HIGH = 0.25, 0.75


@dataclass(frozen=True)
class Repeated:
    """An activation and the passes in which it came; `at_s` seconds into the episode."""

    episode: str
    at_s: float
    woke: int
    passes: int

    @property
    def share(self) -> float:
        """Of the passes."""
        return self.woke / self.passes

    @property
    def repeatability(self) -> str:
        """Its class."""
        return "high" if self.share >= HIGH else "medium" if self.share > LOW else "low"


@dataclass(frozen=True)
class ClassShare:
    """How many activations are of a class, as a share with Wilson's interval."""

    name: str
    events: int
    share: float
    interval: Interval


def classes(found: Iterable[Repeated]) -> list[ClassShare]:
    """All classes, also those of which there is none."""
    kinds = [each.repeatability for each in found]
    n = len(kinds)
    counts = {name: kinds.count(name) for name in CLASSES}
    return [ClassShare(k, count, count / n if n else 0.0, wilson(count, n)) for k, count in counts.items()]


def repeated(study: Study, setting: Setting) -> list[Repeated]:
    """Every stretch of which a setting has replays: two passes and ten replays, nine where one is missing.

    Replays of speakers other than Echos are of all four passes, as their wake word never changed: they are given under
    the first group, and of their passes 1a and 1b count.
    """
    if not setting.published:
        return []
    places: dict[tuple[str, int, int], list[bool]] = defaultdict(list)
    for each in study.replays:
        if each.device == setting.device and each.group == (setting.group if setting.echo else 0):
            places[each.episode, each.begin_s, each.end_s].append(each.woke)
    passes = [
        merged(each for each in study.activations["us", "camera", number] if each.device == setting.device)
        for number in GROUPS[setting.group]
    ]
    found = []
    for (episode, begin, end), woke in sorted(places.items()):
        there = [
            any(a.episode == episode and a.begin_s <= end + MERGE_S and begin <= a.end_s + MERGE_S for a in activations)
            for activations in passes
        ]
        found.append(Repeated(episode, begin, sum(there) + sum(woke), len(there) + len(woke)))
    return found
