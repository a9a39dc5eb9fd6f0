"""What a loop is asked for, and where in its folder everything is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from sim.errors import FeedbackError
from sim.review.feedback.playing import Job
from sim.review.feedback.talk import load_talk
from sim.review.feedback.week import Week
from sim.speech.library import write_whole

WORD = "alexa"
BEFORE, THRESHOLD, LEARNED = "as before", "threshold", "learned"
RECOGNIZER: Literal["recognizer"] = "recognizer"

_PLAN = "plan.json"


@dataclass(frozen=True)
class Plan:
    """A loop: all that decides what comes of it.

    policy, rules: the policy of review, and settings of it that differ. error: the share of labels that a simulated
    annotator gets wrong. lose: the share of true wakes that may be lost. talk: what is said, in place of what ships.
    """

    week: Week = field(default_factory=Week)
    policy: str = "2019-april"
    rules: tuple[tuple[str, str], ...] = (("rate", "1"), ("double", "1"))
    error: float = 0.03
    lose: float = 0.02
    cloud: str = "2018"
    recognizer: str = "auto"
    talk: str | None = None

    def __post_init__(self) -> None:
        """Raises FeedbackError for shares that are none."""
        for name, value in (("error", self.error), ("lose", self.lose)):
            if not 0 <= value < 0.5:
                raise FeedbackError(f"--{name} {value:g} is no such share; give 0 to 0.5")

    @property
    def talk_file(self) -> Path | None:
        """What is said, in place of what ships."""
        return None if self.talk is None else Path(self.talk)

    def keep(self, out: Path) -> None:
        """Write it into the folder; raises FeedbackError where another loop was begun there."""
        said = load_talk(self.talk_file).model_dump(mode="json")
        text = json.dumps({**asdict(self), "talk": said}, indent=1, sort_keys=True)
        path = out / _PLAN
        if path.is_file():
            if path.read_text("utf-8") != text:
                raise FeedbackError(f"another loop was begun in {out}; go on with its options, or name another --out")
            return
        if out.is_dir() and any(out.iterdir()):
            raise FeedbackError(f"{out} has other things in it; name an empty folder, or one that a loop was begun in")
        write_whole(path, text.encode())


@dataclass(frozen=True)
class Places:
    """The folder of a loop."""

    out: Path

    @property
    def verifier(self) -> Path:
        """The second look that was learned."""
        return self.out / f"verifier-{WORD}.npz"

    @property
    def results(self) -> Path:
        """What came of it."""
        return self.out / "results.json"

    @property
    def plot(self) -> Path:
        """The same as a picture."""
        return self.out / "results.png"

    def home(self, home: int, day: int) -> Path:
        """A day that is learned from; the last of them has the store of them all."""
        return self.out / "homes" / f"home-{home + 1}" / f"day-{day + 1}"

    def tried(self, way: str, home: int, day: int) -> Path:
        """A day held out, as it goes under a way of judging."""
        return self.out / "held-out" / way.replace(" ", "-") / f"home-{home + 1}" / f"day-{day + 1}"

    def judged(self, way: str, home: int, day: int) -> Path:
        """The verdicts of a way of judging on a day held out as it went before."""
        return self.out / "judged" / way / f"home-{home + 1}-day-{day + 1}.json"

    @property
    def heard(self) -> Path:
        """What the recognizer made of clips, so that the same sound is not listened to twice."""
        return self.out / "heard"


def learned_from(plan: Plan, places: Places) -> list[list[Job]]:
    """The days that are learned from, home by home."""
    days = list(plan.week.learned_from)
    return [
        [
            _job(plan, places, home, day, places.home(home, day), places.home(home, day - 1) if day else None, ())
            for day in days
        ]
        for home in range(plan.week.homes)
    ]


def held_out(plan: Plan, places: Places, ways: dict[str, tuple[tuple[str, str], ...]]) -> list[list[Job]]:
    """The days held out, under each way of judging with its settings of the device."""
    first = plan.week.held_out.start
    return [
        [
            _job(
                plan,
                places,
                home,
                day,
                places.tried(way, home, day),
                places.tried(way, home, day - 1) if day > first else None,
                changes,
            )
            for day in plan.week.held_out
        ]
        for way, changes in ways.items()
        for home in range(plan.week.homes)
    ]


def _job(
    plan: Plan,
    places: Places,
    home: int,
    day: int,
    folder: Path,
    before: Path | None,
    changes: tuple[tuple[str, str], ...],
) -> Job:
    return Job(
        week=plan.week,
        home=home,
        day=day,
        folder=folder,
        before=before,
        memory=places.heard,
        talk=plan.talk_file,
        cloud=plan.cloud,
        recognizer=plan.recognizer,
        changes=changes,
    )
