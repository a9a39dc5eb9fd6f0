"""A step in a chain of decisions: what was really said, what it was taken for, and how sure that was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sim.report.clips import Clip
from sim.report.folder import Run
from sim.report.hearing import Prompt
from sim.report.quote import Quote
from sim.report.speech import Spoken
from sim.report.wording import long
from wakeword.sound import RATE

LEAD = RATE // 2
"""What is played of a word has this much around it, so that it can be told what it was."""


@dataclass(frozen=True)
class Step:
    """What happened at sample `at`; samples `begin` to `end` are its sound.

    `look`: its CSS class. `said` and `heard`: the same moment as it was and as it was heard; `taken_for` what became
    of it, `meant` what somebody who addressed the device had meant. `score` needed `needed`, both 0 to 1. `result`:
    what this step did, `stop`: why nothing more came, each in a few words and only where that is so.
    """

    at: int
    look: str
    title: str
    text: str
    begin: int = 0
    end: int = 0
    clip: Clip | None = None
    said: Quote | None = None
    heard: Quote | None = None
    taken_for: str = ""
    meant: str = ""
    score: float | None = None
    needed: float | None = None
    others: tuple[str, ...] = ()
    prompt: Prompt | None = None
    result: str = ""
    stop: str = ""


@dataclass(frozen=True)
class Scene:
    """What is known of a run besides its decisions."""

    run: Run
    clips: Mapping[str, Clip]
    lines: Sequence[Spoken] = ()
    prompts: Sequence[Prompt] = ()

    def setting(self, *names: str) -> Any:
        """A setting of the far end, None where it is not known."""
        value: Any = self.run.outcome.manifest.cloud
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def share(self, *names: str) -> float | None:
        """A setting that is a number, None where it is not."""
        return number(self.setting(*names))


def went_on(step: Step) -> Step:
    """Take from a step that it stopped the chain: it was asked again, and something more was heard."""
    return replace(step, look=step.look.removesuffix(" stopped"), stop="") if step.stop else step


def about_clip(clip: Clip) -> str:
    """Say which clip it is and how it came about."""
    asked = ", recorded without a wake word" if clip.initiator == "expect_speech" else ""
    by = f", heard by {clip.recognizer}" if clip.recognizer else ""
    return f"Clip {clip.number}, {long((clip.stop - clip.begin) / RATE)}{asked}{by}."


def number(value: object) -> float | None:
    """Read a number, None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def listed(value: object) -> list[object]:
    """Read a list, an empty one for anything else."""
    return value if isinstance(value, list) else []


def pairs(value: object) -> Iterator[tuple[str, float]]:
    """Read names with numbers, those that are whole."""
    for one in listed(value):
        if isinstance(one, list) and len(one) == 2 and (found := number(one[1])) is not None:
            yield str(one[0]), found
