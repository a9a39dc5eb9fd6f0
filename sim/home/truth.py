"""What really happened in the home, beside what any device makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.speech.words import Word
from uplink.message import JSON


@dataclass(frozen=True)
class SpokenLine:
    """A line as it left a mouth, or a television: samples ``begin`` (inclusive) to ``end`` (exclusive)."""

    who: str
    text: str
    begin: int
    end: int
    to: str | None = None
    """The device it was said to."""
    means: Mapping[str, JSON] | None = None
    """What was meant by it: intent, contact, confirm, those that there are."""
    words: tuple[Word, ...] = ()

    @property
    def addressed(self) -> bool:
        """Whether it was said to a device."""
        return self.to is not None

    def facts(self) -> dict[str, JSON]:
        """As the facts of a happening."""
        means = None if self.means is None else dict(self.means)
        words: list[JSON] = [list(word) for word in self.words]
        return {
            "who": self.who,
            "text": self.text,
            "begin": self.begin,
            "end": self.end,
            "to": self.to,
            "means": means,
            "words": words,
        }


@dataclass(frozen=True)
class Happening:
    """Something that happened in the home: ``said``, or ``prompt_audible``; `docs/events.md` lists the facts."""

    sample: int
    kind: str
    facts: Mapping[str, JSON] = field(default_factory=dict)
