"""The transcript under the words really said: word over word, each misheard one marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from sim.report.clips import Clip
from sim.report.speech import Spoken, Word
from sim.report.words import CUT, bare, pair
from wakeword.sound import RATE

APART = RATE // 2
"""Words with more than this between them are no pair, however alike."""


def interlinear(clip: Clip, lines: Sequence[Spoken]) -> str:
    """Give the HTML for a clip of which both are known, empty otherwise; screen readers get the two texts elsewhere."""
    said = _said(clip, lines)
    heard = list(clip.words) or [Word(text, 0, 0) for text in (clip.heard or "").split()]
    if not said or clip.heard is None:
        return ""
    timed = bool(clip.words) and all(word.end for word in said)
    apart = (lambda row, column: _apart(said[row], heard[column])) if timed else None
    found = pair([word.text for word in said], [word.text for word in heard], apart)
    return f'<p class="interlinear" aria-hidden="true">{"".join(_columns(said, heard, found))}</p>'


def _said(clip: Clip, lines: Sequence[Spoken]) -> list[Word]:
    """Words of which at least half lie in the clip, in order of time; without times the text as it was told."""
    timed = [word for line in lines for word in line.words if clip.begin <= (word.begin + word.end) / 2 < clip.stop]
    if timed:
        return sorted(timed, key=lambda word: (word.begin, word.end))
    return [Word(text, 0, 0) for text in (clip.said or "").split() if text != CUT]


def _apart(said: Word, heard: Word) -> bool:
    return heard.begin - said.end > APART or said.begin - heard.end > APART


def _columns(said: Sequence[Word], heard: Sequence[Word], found: list[tuple[int | None, int | None]]) -> Iterator[str]:
    speaker = ""
    for row, column in found:
        above = None if row is None else said[row]
        below = None if column is None else heard[column]
        if above is not None and above.who and above.who != speaker:
            speaker = above.who
            yield f'<span class="column who"><b>{escape(speaker)}</b></span> '
        same = above is not None and below is not None and bare(above.text) == bare(below.text)
        about = "" if below is None or below.confidence is None else f' title="confidence {below.confidence:.2f}"'
        yield (
            f'<span class="column{"" if same else " wrong"}"{about}><b>{escape(above.text) if above else "·"}</b>'
            f"<i>{escape(below.text) if below else '–'}</i></span> "
        )
