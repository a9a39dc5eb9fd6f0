"""What the device said, and who could hear it: the prompt's level at each person against all else that sounds there."""

from __future__ import annotations

from dataclasses import dataclass

from sim.report.folder import Facts, Run
from sim.report.wording import level, listing
from wakeword.frames import HOP

SAME = 2 * HOP
"""Samples by which the begin of a prompt may differ between device and home; prompts are never so close together."""


@dataclass(frozen=True)
class Listener:
    """Levels in dB SPL at a person's ears; `share` of the prompt that stood out, 0 to 1, where it is known."""

    who: str
    level_db: float
    rest_db: float
    share: float | None
    heard: bool

    @property
    def told(self) -> str:
        """In words."""
        part = "" if self.share is None else f"; {self.share:.0%} of it stood out"
        levels = f"{level(self.level_db)} against {level(self.rest_db)} of all else"
        return f"{self.who} {'heard' if self.heard else 'did not hear'} it, at {levels}{part}"


@dataclass(frozen=True)
class Prompt:
    """Something the device said, samples `begin` to `end`; `whole` is False where it was broken off, None if unknown.

    `listeners`: empty where nobody was there, or where that is not known.
    """

    text: str
    begin: int
    end: int
    whole: bool | None
    listeners: tuple[Listener, ...]

    @property
    def heard_by(self) -> str:
        """Who heard it, in a few words; empty where that is not known."""
        if not self.listeners:
            return ""
        names = [listener.who for listener in self.listeners if listener.heard]
        return f"heard by {listing(names)}" if names else "heard by nobody"


def prompts_of(run: Run) -> tuple[Prompt, ...]:
    """Give the prompts in order."""
    told: list[tuple[int, Facts, bool | None]] = []
    for event in run.events:
        if event.kind == "prompt":
            told.append((event.sample, event.facts, None))
        elif event.kind == "prompt_end" and told and told[-1][2] is None:
            sample, facts, _ = told[-1]
            whole = event.facts.get("heard_whole")
            told[-1] = (sample, {**facts, "samples": event.sample - sample}, whole if isinstance(whole, bool) else None)
    return tuple(
        Prompt(facts["text"], at, at + facts["samples"], whole, tuple(_listeners(run, at, facts["text"])))
        for at, facts, whole in told
    )


def _listeners(run: Run, begin: int, text: str) -> list[Listener]:
    found: dict[str, Listener] = {}
    mine = [run.name, run.outcome.manifest.device.name]
    for _, facts in run.of("prompt_audible"):
        if facts.get("device", run.name) not in mine or facts["text"] != text or abs(facts["prompt"] - begin) > SAME:
            continue
        share = facts.get("share")
        found[facts["who"]] = Listener(
            facts["who"],
            facts["level_db_spl"],
            facts["rest_db_spl"],
            share if isinstance(share, int | float) and 0 <= share <= 1 else None,
            facts["heard"],
        )
    return list(found.values())
