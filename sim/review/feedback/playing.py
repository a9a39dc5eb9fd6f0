"""One day of one home, played through the real path, and what it came to: the work of one process."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from device.config import DeviceSettings
from device.events import Event, Kind
from sim.cloud.memory import Remembering
from sim.cloud.recognizer import load_recognizer
from sim.cloud.settings import load_cloud
from sim.home.truth import SpokenLine
from sim.play.setup import Setup
from sim.play.stage import Stage
from sim.play.truth import Truth
from sim.review.feedback.talk import load_talk
from sim.review.feedback.week import Week, scenario_of
from sim.scenario import device_settings
from sim.speech.library import load_speech, write_whole
from wakeword.sound import RATE
from wakeword.span import word_span

Said = Literal["true", "false", "other"]
"""Of a wake: somebody said the word to the device; nobody spoke to it; or they did, and it was another word."""

DAY, STORE = "day.json", "store"


@dataclass(frozen=True)
class Job:
    """A day to be played. `before`: the folder of the day before, whose store is taken on; `folder` gets that after it.

    `changes`: settings of the device that differ, by dotted key.
    """

    week: Week
    home: int
    day: int
    folder: Path
    before: Path | None = None
    memory: Path = Path()
    talk: Path | None = None
    cloud: str = "2018"
    recognizer: str = "auto"
    changes: tuple[tuple[str, str], ...] = ()

    @property
    def done(self) -> bool:
        """Whether it was played to its end before."""
        return (self.folder / DAY).is_file()


@dataclass(frozen=True)
class Wake:
    """A wake: the clip it began, what it was, and the line in which it came (``who: text``; none: in nobody's)."""

    clip: str
    score: float
    said: Said
    line: str | None


@dataclass
class Day:
    """What a day came to. `asked`: the lines that called the device; `samples`: how long it listened."""

    home: int
    day: int
    samples: int = 0
    wakes: list[Wake] = field(default_factory=list)
    refused: list[tuple[Said, str | None]] = field(default_factory=list)
    """Wakes that the device's second look took back: what they were, and the line."""
    asked: list[str] = field(default_factory=list)
    clips: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    """Of each clip the truth: whether somebody spoke to the device at its begin, and whether they said the word."""

    @classmethod
    def read(cls, folder: Path) -> Day:
        """As it was written."""
        facts = json.loads((folder / DAY).read_text("utf-8"))
        facts["wakes"] = [Wake(**wake) for wake in facts["wakes"]]
        facts["refused"] = [(said, line) for said, line in facts["refused"]]
        facts["clips"] = {clip: (addressed, word) for clip, (addressed, word) in facts["clips"].items()}
        return cls(**facts)


def setup_of(job: Job) -> Setup:
    """The scenario of a job with its device and far end; raises SimError."""
    scenario = scenario_of(job.week, load_talk(job.talk), job.home, job.day)
    devices: Mapping[str, DeviceSettings] = {
        name: device_settings(scenario, name, job.changes) for name in scenario.devices
    }
    return Setup(scenario, devices, load_cloud(job.cloud, [("ears.recognizer", job.recognizer)]))


def play_day(job: Job) -> None:
    """Play it, once: what is half there of an earlier attempt is played anew from the day before. Raises SimError."""
    if job.done:
        return
    setup = setup_of(job)
    half = job.folder.with_name(f"{job.folder.name}.part")
    for left in (half, job.folder):
        shutil.rmtree(left, ignore_errors=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    if job.before is None:
        half.mkdir()
    else:
        shutil.copytree(job.before, half, ignore=shutil.ignore_patterns(DAY))
    stage = Stage(setup, load_speech(setup.scenario))
    record = _Record(Day(job.home, job.day), stage.truth)
    ears = setup.cloud.ears
    recognizer = Remembering(load_recognizer(ears.recognizer, ears=ears), ears, job.memory, eager=False)
    watch = {name: [record.note] for name in setup.devices}
    with tempfile.TemporaryDirectory(prefix="misheard-") as state:
        stage.play(recognizer, "inprocess", Path(state), watch, store=half / STORE)
    day = record.day
    day.samples = stage.home.clock
    day.asked = [key_of(line) for line in stage.truth.lines() if calls(line)]
    write_whole(half / DAY, json.dumps(asdict(day), indent=1, ensure_ascii=False).encode())
    half.rename(job.folder)


def key_of(line: SpokenLine) -> str:
    """What a line is known by within a day, in which no line is said twice."""
    return f"{line.who}: {line.text}"


def calls(line: SpokenLine) -> bool:
    """Whether a line calls a device by its name."""
    return line.addressed and any(_is_name(word) for word, _, _ in line.words)


def _is_name(word: str) -> bool:
    return word.lower() == "alexa"


@dataclass
class _Record:
    """Takes the events of a device and keeps what this is about."""

    day: Day
    truth: Truth

    def note(self, event: Event) -> None:
        if event.kind == Kind.WAKE:
            self._score = float(str(event.facts["score"]))
            self._span = word_span(str(event.facts["word"]), event.sample)
        elif event.kind == Kind.CAPTURE_BEGIN:
            self._begin(event.facts)
        elif event.kind == Kind.NEAR_MISS and "verifier_score" in event.facts:
            self.day.refused.append(self._said(*word_span(str(event.facts["word"]), event.sample))[:2])

    def _begin(self, facts: Mapping[str, Any]) -> None:
        clip = str(facts["clip"])
        if facts["initiator"] != "wakeword":
            begin = int(facts["begin"])
            _, _, addressed, word = self._said(begin, begin + RATE)
        else:
            said, line, addressed, word = self._said(*self._span)
            self.day.wakes.append(Wake(clip, self._score, said, line))
        self.day.clips[clip] = addressed, word

    def _said(self, begin: int, end: int) -> tuple[Said, str | None, bool, bool]:
        """What a span was, the line in it, whether it was said to a device, and whether the wake word was said."""
        lines = [line for line in self.truth.lines() if line.begin < end and begin < line.end]
        addressed = any(line.addressed for line in lines)
        words = [word for line in lines for word, first, last in line.words if first < end and begin < last]
        spoken = any(map(_is_name, words))
        longest = max(lines, key=lambda line: min(line.end, end) - max(line.begin, begin), default=None)
        said: Said = "false" if not addressed else "true" if spoken else "other"
        return said, None if longest is None else key_of(longest), addressed, spoken
