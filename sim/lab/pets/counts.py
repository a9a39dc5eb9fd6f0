"""What the study counted: distinct activations of each setting, as rates by show, and how long the light was on.

Conventions
-----------
- A setting is a device with a wake word. Echos had one word in passes 1a and 1b and another in 2a and 2b; the other
  speakers kept theirs, and passes 1a and 1b count for them as for everybody (2a and 2b are given apart).
- Activations of more than `TOO_LONG_S` are dropped; those of one device and episode of which one begins within
  `MERGE_S` of the other's end are one.
- Rates of a setting and show are of distinct activations over both passes, merged, per hour of material and per 10,000
  words of it: this is how the published 0.95 an hour and 1.43 per 10,000 words come about. Garwood's interval takes
  activations for independent.
- The rate per device and day is of every pass by itself; its interval resamples episodes, as one word on television
  wakes many devices in both passes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sim.lab.intervals import Interval, bootstrap, garwood, wilson
from sim.lab.pets.data import Activation, Study, show_of

TOO_LONG_S = 600
MERGE_S = 5

ECHO = {
    "echodot": ("Echo Dot 2", "Echo", "Alexa"),
    "t-echodot": ("Echo Dot 2", "Amazon", "Computer"),
    "echodot3a": ("Echo Dot 3", "Alexa", "Echo"),
    "echodot3b": ("Echo Dot 3", "Computer", "Amazon"),
}
"""By the name in the files: generation, and wake word in passes 1a and 1b, and in 2a and 2b."""

OTHERS = {
    "google-home-mini2": ("Google Home Mini", "OK Google"),
    "homepod": ("HomePod", "Hey Siri"),
    "invoke": ("Invoke", "Cortana"),
}

GROUPS = {1: ("1a", "1b"), 2: ("2a", "2b")}


@dataclass(frozen=True)
class Setting:
    """A device of the files in one group of passes; `published`: among those of which the study gives the highest."""

    device: str
    group: int

    @property
    def echo(self) -> bool:
        """Whether it is an Echo."""
        return self.device in ECHO

    @property
    def published(self) -> bool:
        """Whether it counts for the published maximum."""
        return self.echo or self.group == 1

    @property
    def label(self) -> str:
        """Such as ``Echo Dot 2 "Echo"``."""
        if self.echo:
            model, *words = ECHO[self.device]
            return f'{model} "{words[self.group - 1]}"'
        model, word = OTHERS[self.device]
        return f'{model} "{word}"' + ("" if self.published else ", 2a and 2b")


SETTINGS = tuple(Setting(device, group) for device in (*ECHO, *OTHERS) for group in GROUPS)


def merged(activations: Iterable[Activation]) -> list[Activation]:
    """Without those that are too long, and close ones of one device and episode as one; in order."""
    by_place: dict[tuple[str, str], list[Activation]] = defaultdict(list)
    for each in activations:
        if each.end_s - each.begin_s <= TOO_LONG_S:
            by_place[each.episode, each.device].append(each)
    found: list[Activation] = []
    for group in by_place.values():
        kept: list[Activation] = []
        for each in sorted(group, key=lambda one: (one.begin_s, one.end_s)):
            if kept and each.begin_s - kept[-1].end_s <= MERGE_S:
                last = kept.pop()
                each = Activation(last.episode, last.device, last.begin_s, max(last.end_s, each.end_s))
            kept.append(each)
        found += kept
    return sorted(found, key=lambda one: (one.episode, one.device, one.begin_s))


@dataclass(frozen=True)
class Cell:
    """Distinct activations of a setting in a show (``""``: in all)."""

    show: str
    events: int
    hours: float
    words: int
    per_hour: float
    per_hour_interval: Interval
    per_10000_words: float
    per_10000_words_interval: Interval


def distinct(study: Study, setting: Setting, testbed: str = "us", way: str = "camera") -> list[Activation]:
    """Activations of a setting over both its passes."""
    passes = (study.activations[testbed, way, number] for number in GROUPS[setting.group])
    return merged(each for found in passes for each in found if each.device == setting.device)


def cells(study: Study, setting: Setting, testbed: str = "us", way: str = "camera") -> list[Cell]:
    """Over all shows, and then each show."""
    events = Counter(show_of(each.episode) for each in distinct(study, setting, testbed, way))
    hours: dict[str, float] = defaultdict(float)
    words: dict[str, int] = defaultdict(int)
    for episode, seconds in study.seconds.items():
        for show in ("", show_of(episode)):
            hours[show] += seconds / 3600
            words[show] += study.words[episode]
    events[""] = sum(events.values())
    return [cell(show, events[show], hours[show], words[show]) for show in hours]


def cell(show: str, events: int, hours: float, words: int) -> Cell:
    """A count as rates, with their intervals."""
    spoken = words / 10_000
    per_words = events / spoken if spoken else 0.0
    return Cell(show, events, hours, words, events / hours, garwood(events, hours), per_words, garwood(events, spoken))


@dataclass(frozen=True)
class PerDay:
    """Activations per device and day, over `passes` of `hours` by every device."""

    activations: int
    device_days: float
    per_day: float
    interval: Interval


def per_device_day(study: Study, testbed: str = "us") -> PerDay:
    """All Echo settings pooled, each pass by itself; the interval resamples episodes."""
    by_episode: Counter[str] = Counter(each.episode for found in _passes(study, testbed) for each in found)
    passes = sum(len(GROUPS[setting.group]) for setting in SETTINGS if setting.echo)
    days = {episode: passes * seconds / 86_400 for episode, seconds in study.seconds.items()}
    events = [by_episode[episode] for episode in days]
    total = sum(days.values())
    return PerDay(sum(events), total, sum(events) / total, bootstrap(events, list(days.values()), seed=0))


def _passes(study: Study, testbed: str) -> list[list[Activation]]:
    """Activations of each Echo setting in each of its passes."""
    return [
        merged(each for each in study.activations[testbed, "camera", number] if each.device == setting.device)
        for setting in SETTINGS
        if setting.echo
        for number in GROUPS[setting.group]
    ]


@dataclass(frozen=True)
class Share:
    """So many of all, with Wilson's interval."""

    events: int
    of: int
    share: float
    interval: Interval


def durations(study: Study, testbed: str = "us") -> dict[int, int]:
    """How often the light of an Echo was on for so many seconds, each pass by itself."""
    found = Counter(each.end_s - each.begin_s for events in _passes(study, testbed) for each in events)
    return dict(sorted(found.items()))


def share_between(counted: Mapping[int, int], first_s: int, last_s: int) -> Share:
    """The share of lights that were on from `first_s` to `last_s` seconds, both inclusive."""
    events = sum(count for seconds, count in counted.items() if first_s <= seconds <= last_s)
    of = sum(counted.values())
    return Share(events, of, events / of if of else 0.0, wilson(events, of))


def highest(rows: Sequence[tuple[Setting, Cell]]) -> tuple[Setting, Cell]:
    """The published maximum: the highest rate an hour of a setting and show."""
    return max(((s, c) for s, c in rows if s.published and c.show), key=lambda row: row[1].per_hour)
