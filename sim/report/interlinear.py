"""The transcript under the words really said: word over word, each misheard one marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from sim.report.clips import Clip
from sim.report.speech import Spoken, Word
from sim.report.words import CUT, Pair, bare, pair
from wakeword.sound import RATE

APART = RATE // 2
"""Words with more than this between them are no pair, however alike."""


def interlinear(clip: Clip, lines: Sequence[Spoken]) -> tuple[str, tuple[int, int] | None]:
    """Give the HTML for a clip of which both are known, empty otherwise, and how many words of how many are wrong.

    Screen readers get the two texts elsewhere. The words are counted only where their times are known, so that those
    outside the clip do not count.
    """
    said = _said(clip, lines)
    heard = list(clip.words) or [Word(text, 0, 0) for text in (clip.heard or "").split()]
    if not said or clip.heard is None:
        return "", None
    timed = (bool(clip.words) or not heard) and all(word.end for word in said)
    apart = (lambda row, column: _apart(said[row], heard[column])) if timed else None
    found = pair([word.text for word in said], [word.text for word in heard], apart)
    wrong = sum(not _same(said, heard, each) for each in found)
    drawn = f'<p class="interlinear" aria-hidden="true">{"".join(_columns(said, heard, found))}</p>'
    return drawn, (wrong, len(said)) if timed else None


def _said(clip: Clip, lines: Sequence[Spoken]) -> list[Word]:
    """Words of which at least half lie in the clip, line by line; without times the text as it was told."""
    timed = [word for line in lines for word in line.words if clip.begin <= (word.begin + word.end) / 2 < clip.stop]
    if timed:
        return timed
    return [Word(text, 0, 0) for text in (clip.said or "").split() if text != CUT]


def _apart(said: Word, heard: Word) -> bool:
    return heard.begin - said.end > APART or said.begin - heard.end > APART


def _same(said: Sequence[Word], heard: Sequence[Word], places: Pair) -> bool:
    row, column = places
    return row is not None and column is not None and bare(said[row].text) == bare(heard[column].text)


def _columns(said: Sequence[Word], heard: Sequence[Word], found: Sequence[Pair]) -> Iterator[str]:
    speaker = ""
    for places in found:
        above = None if places[0] is None else said[places[0]]
        below = None if places[1] is None else heard[places[1]]
        if above is not None and above.who and above.who != speaker:
            speaker = above.who
            yield f'<span class="column who"><b>{escape(speaker)}</b></span> '
        wrong = "" if _same(said, heard, places) else " wrong"
        about = "" if below is None or below.confidence is None else f' title="confidence {below.confidence:.2f}"'
        yield (
            f'<span class="column{wrong}"{about}><b>{escape(above.text) if above else "·"}</b>'
            f"<i>{escape(below.text) if below else '–'}</i></span> "
        )
