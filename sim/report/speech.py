"""Who said what and when, word for word where that is known, and whether it was said to the device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sim.report.folder import LATEST, Run


@dataclass(frozen=True)
class Word:
    """A word at samples `begin` to `end` of the stream; `confidence`, 0 to 1, of one that a recognizer heard."""

    text: str
    begin: int
    end: int
    confidence: float | None = None
    who: str = ""


@dataclass(frozen=True)
class Spoken:
    """A line that somebody said, samples `begin` to `end`; where the end is not known it is the begin.

    `means`: what somebody who addressed the device meant by it: intent, contact, confirm, those that there are.
    """

    who: str
    text: str
    begin: int
    end: int
    addressed: bool
    words: tuple[Word, ...] = ()
    means: Mapping[str, Any] = field(default_factory=dict)


def spoken(run: Run) -> tuple[Spoken, ...]:
    """Give every line of a scenario that was heard, in order; where an event does not say its end, the labels do."""
    story = run.outcome.manifest.scenario
    script = {(line.who, line.say) for line in story.script if line.meant} if story is not None else set()
    found: dict[tuple[int, str, str], Spoken] = {}
    for label in run.labels:
        who, colon, text = label.text.partition(": ")
        if colon and story is not None and (who in story.people or who in story.media):
            found[label.begin, who, text] = Spoken(who, text, label.begin, label.end, (who, text) in script)
    for sample, facts in run.of("said"):
        who, text = facts["who"], facts["text"]
        begin = _sample(facts.get("begin"), sample)
        known = found.get((begin, who, text))
        end = max(begin, _sample(facts.get("end"), begin if known is None else known.end))
        meant = facts["to"] is not None if "to" in facts else (who, text) in script
        words = words_of(facts.get("words"), who=who)
        means = facts["means"] if isinstance(facts.get("means"), dict) else {}
        found[begin, who, text] = Spoken(who, text, begin, end, meant, words, means)
    return tuple(sorted(found.values(), key=lambda line: (line.begin, line.who, line.text)))


def lines_of(runs: Iterable[Run]) -> tuple[Spoken, ...]:
    """Give what was said in a home, each line once: its devices are told of the same lines, by the clock they share."""
    found = {(line.begin, line.who, line.text): line for run in runs for line in spoken(run)}
    return tuple(found[key] for key in sorted(found))


def words_of(listed: Any, offset: int = 0, who: str = "") -> tuple[Word, ...]:
    """Read ``[[text, begin, end, confidence?], ...]``, `offset` samples later; nothing where any of it is damaged."""
    words = []
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, list) or len(one) < 3 or not isinstance(one[0], str):
            return ()
        begin, end, *rest = one[1:]
        if not (isinstance(begin, int) and isinstance(end, int) and 0 <= begin <= end <= LATEST):
            return ()
        sure = float(rest[0]) if rest and isinstance(rest[0], int | float) else None
        words.append(Word(one[0], offset + begin, offset + end, sure, who))
    return tuple(words)


def said_between(lines: Iterable[Spoken], begin: int, end: int) -> str:
    """Give what was really said in a stretch: its words where their times are known, else its lines, cut ones marked.

    A word counts where at least half of it lies inside.
    """
    told = []
    for line in lines:
        if line.begin >= end or line.end <= begin:
            continue
        if not line.words:
            told.append(f"{'… ' if line.begin < begin else ''}{line.text}{' …' if line.end > end else ''}")
            continue
        inside = [word for word in line.words if begin <= (word.begin + word.end) / 2 < end]
        if inside:
            before = "… " if inside[0] is not line.words[0] else ""
            after = " …" if inside[-1] is not line.words[-1] else ""
            told.append(before + " ".join(word.text for word in inside) + after)
    return " ".join(told)


def at_once(lines: Iterable[Spoken]) -> bool:
    """Whether any two of the lines overlap; they are in order of their begins."""
    latest = -1
    for line in lines:
        if line.begin < latest:
            return True
        latest = max(latest, line.end)
    return False


def meant_between(lines: Iterable[Spoken], begin: int, end: int, what: str) -> Any:
    """Give what was meant (intent, contact or confirm) by what was said in a stretch, None where nothing was."""
    inside = (line.means.get(what) for line in lines if line.begin < end and begin < line.end)
    return next((meant for meant in inside if meant is not None), None)


def speakers_between(lines: Iterable[Spoken], begin: int, end: int) -> tuple[str, ...]:
    """Give who speaks in a stretch, in order, each once."""
    return tuple(dict.fromkeys(line.who for line in lines if line.begin < end and begin < line.end))


def _sample(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and 0 <= value <= LATEST else otherwise
