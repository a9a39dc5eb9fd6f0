"""The far end's second look at a wake word: enough of a clip's beginning is judged again, by other means."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import numpy as np

from sim.cloud.settings import VerifierSettings
from uplink.message import JSON, Part
from wakeword.sound import RATE, Samples

AFTER = 600 * RATE // 1000
"""Samples looked at after the word's end, which is but an estimate; more of them made no look better."""

_WAITING = 64
"""Clips whose beginning is being gathered; of more the oldest is not looked at."""


@dataclass(frozen=True)
class Opening:
    """The beginning of a clip: pre-roll, the word from sample ``word_begin`` to ``word_end``, and what follows it."""

    clip: str
    word: str
    samples: Samples
    word_begin: int
    word_end: int


@dataclass(frozen=True)
class Verdict:
    """What a look gave: it passed where the score, 0 to 1, reaches the threshold."""

    passed: bool
    method: str
    score: float
    threshold: float

    def facts(self, opening: Opening) -> dict[str, JSON]:
        """As the event `verified` tells it."""
        return {
            "clip": opening.clip,
            "word": opening.word,
            "passed": self.passed,
            "method": self.method,
            "score": self.score,
            "threshold": self.threshold,
        }


class Look(Protocol):
    """A way to look again. ``threshold``: the score that passes where nothing else is set."""

    name: str
    threshold: float

    def score(self, opening: Opening) -> float | None:
        """How surely the word is there, 0 to 1; none for a word that this look does not know."""


class Verifier:
    """Looks at openings as the settings say. Not thread-safe."""

    def __init__(self, settings: VerifierSettings, look: Look) -> None:
        self._look = look
        self._threshold = look.threshold if settings.threshold is None else settings.threshold

    def look(self, opening: Opening) -> Verdict | None:
        """Judge an opening; nothing where the method does not know its word. Raises RecognizerError."""
        score = self._look.score(opening)
        if score is None:
            return None
        score = round(score, 4)
        return Verdict(score >= self._threshold, self._look.name, score, self._threshold)


def load_verifier(settings: VerifierSettings) -> Verifier | None:
    """Load what the settings name, or nothing for ``none``; raises RecognizerError where it is not installed."""
    if settings.method == "none":
        return None
    if settings.method == "learned":
        from sim.cloud.learned_look import LearnedLook

        assert settings.model is not None  # the settings see to that
        return Verifier(settings, LearnedLook(settings.model))
    from sim.cloud.looks import LOOKS

    return Verifier(settings, LOOKS[settings.method]())


class Openings:
    """Gathers the beginnings of clips from their parts, in whatever order these come."""

    def __init__(self) -> None:
        self._clips: dict[str, dict[int, tuple[Part, Samples]]] = {}
        self._done: dict[str, None] = {}

    def push(self, part: Part, sound: Samples) -> Opening | None:
        """Take a part and its samples; give the opening, once, with the part that makes it long enough.

        None comes of a clip without a wake word, or where the device could not tell its place: with less than the
        pre-roll before it, there is no second look. A clip that ends soon is looked at as far as it goes.
        """
        if part.clip in self._done or (part.number == 0 and _span(part.facts, part.begin) is None):
            return None
        gathered = self._clips.setdefault(part.clip, {})
        gathered[part.number] = part, sound
        while len(self._clips) > _WAITING:
            del self._clips[next(iter(self._clips))]
        opening = _opening(gathered)
        if opening is not None:
            self._clips.pop(part.clip, None)
            self._done[part.clip] = None
            if len(self._done) > _WAITING:
                del self._done[next(iter(self._done))]
        return opening

    def forget(self, clips: Collection[str]) -> int:
        """Let go of what was gathered of these clips; gives of how many that was something."""
        return sum(self._clips.pop(clip, None) is not None for clip in clips)


def opening_of(clip: str, facts: Mapping[str, JSON], begin: int, sound: Samples, whole: bool) -> Opening | None:
    """Give the opening of a clip, from the facts of its part 0, its first sample, and its sound as far as it is there.

    None where nothing is to be looked at: see `Openings.push`.
    """
    span = _span(facts, begin)
    if span is None:
        return None
    word, first, last = span
    if len(sound) >= last + AFTER or (whole and len(sound) >= last):
        return Opening(clip, word, sound[: last + AFTER], first, last)
    return None


def _span(facts: Mapping[str, JSON], begin: int) -> tuple[str, int, int] | None:
    """Word, begin and end of it in the clip."""
    word, first, last = (facts.get(name) for name in ("word", "word_begin", "word_end"))
    if facts.get("initiator") != "wakeword" or not isinstance(word, str):
        return None
    if type(first) is not int or type(last) is not int or not begin <= first < last:
        return None
    return word, first - begin, last - begin


def _opening(gathered: dict[int, tuple[Part, Samples]]) -> Opening | None:
    if 0 not in gathered:
        return None
    there = [gathered[number] for number in range(next(n for n in count() if n not in gathered))]
    first, last = there[0][0], there[-1][0]
    sound = np.concatenate([sound for _, sound in there])
    return opening_of(first.clip, first.facts, first.begin, sound, last.last)
