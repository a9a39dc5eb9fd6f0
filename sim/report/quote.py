"""Words out of a stretch of talk, with a few around them: what was said and what was heard, beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sim.report.clips import Clip
from sim.report.speech import Spoken, Word, at_once, said_between, speakers_between
from sim.report.words import bare
from wakeword.sound import RATE

AROUND = 5
"""Words before and after that are shown with those that matter, if they are near."""

NEAR = 3 * RATE


@dataclass(frozen=True)
class Quote:
    """Words that matter, and what stands before and after them; `who` says them.

    `other`: they are not in the transcript, but in another reading of the same sound.
    """

    text: str
    before: str = ""
    after: str = ""
    who: tuple[str, ...] = ()
    other: bool = False


def said_at(lines: Sequence[Spoken], begin: int, end: int, context: bool = True) -> Quote | None:
    """Quote what was really said in a stretch; None where nobody's lines are known.

    Where people talk at once it is told line by line, and nothing around it.
    """
    if not lines:
        return None
    text, who = said_between(lines, begin, end), speakers_between(lines, begin, end)
    if not context or not text:
        return Quote(text, who=who)
    words = sorted((word for line in lines for word in line.words), key=lambda word: (word.begin, word.end))
    if not words or at_once(line for line in lines if line.begin < end + NEAR and begin - NEAR < line.end):
        return Quote(text, who=who)
    before = [word for word in words if begin - NEAR <= _middle(word) < begin]
    inside = [word for word in words if begin <= _middle(word) < end]
    after = [word for word in words if end <= _middle(word) < end + NEAR]
    return Quote(_text(inside) or text, _text(before[-AROUND:]), _text(after[:AROUND]), who)


def heard_in(clip: Clip, phrase: str) -> tuple[Quote, int, int]:
    """Find a phrase in what was heard in a clip: the quote, and the samples it spans.

    Of all that was heard, or of what is not found in it, these are the clip's own.
    """
    place = find([word.text for word in clip.words], phrase)
    if place is None or place == (0, len(clip.words)):
        return _another(clip, phrase) if place is None else Quote(phrase), clip.begin, clip.stop
    first, last = place
    words = clip.words
    return _cut([word.text for word in words], first, last), words[first].begin, words[last - 1].end


def _another(clip: Clip, phrase: str) -> Quote:
    """A phrase that is not in the transcript word by word: quoted from the reading that has it, or alone."""
    for reading in clip.alternatives:
        words = reading.split()
        if reading != clip.heard and (place := find(words, phrase)) is not None:
            return replace(_cut(words, *place), other=True)
    return Quote(phrase)


def _cut(words: Sequence[str], first: int, last: int) -> Quote:
    before, after = words[max(0, first - AROUND) : first], words[last : last + AROUND]
    ahead, behind = "… " * (first > AROUND), " …" * (len(words) > last + AROUND)
    return Quote(" ".join(words[first:last]), ahead + " ".join(before), " ".join(after) + behind)


def find(words: Sequence[str], phrase: str) -> tuple[int, int] | None:
    """Give the first place of a phrase among words, None where it is not there; case and punctuation do not count."""
    wanted = [word for word in map(bare, phrase.split()) if word]
    there = [bare(word) for word in words]
    for first in range(len(there) - len(wanted) + 1 if wanted else 0):
        if there[first : first + len(wanted)] == wanted:
            return first, first + len(wanted)
    return None


def _text(words: Iterable[Word]) -> str:
    return " ".join(word.text for word in words)


def _middle(word: Word) -> float:
    return (word.begin + word.end) / 2
