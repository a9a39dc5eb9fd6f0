"""A clip as a card: a picture of its sound, and in words why it began and ended and what was made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from sim.report.clips import Clip
from sim.report.interlinear import interlinear
from sim.report.speech import Spoken
from sim.report.wording import ENDS, clock, count, seconds
from sim.report.words import Comparison, compare
from wakeword.sound import RATE

COLUMNS = 300
"""Columns of the picture of a clip's sound."""


def card(clip: Clip, source: str | None, lines: Sequence[Spoken], where: str = "", deleted: bool = False) -> str:
    """Give the HTML of a clip.

    `source` is where its sound is: a data: or relative address, None for nowhere. `lines` are what was really said,
    `where` the device if there are several, `deleted` whether the far end has deleted it since.
    """
    number, end = clip.number, clip.stop
    player = ""
    if source is not None and clip.sound is not None:
        player = (
            f'<div class="player"><button type="button" class="play" aria-label="Play clip {number}">▶</button>'
            f"{_picture(clip, clip.sound.samples)}"
            f'<audio controls preload="none" src="{escape(source)}"></audio></div>'
        )
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in _facts(clip))
    when = f"{clock(clip.begin)} to {clock(end)}, {seconds(end - clip.begin)}" if clip.end is not None else "not ended"
    gone = '<b class="verdict gone">deleted</b>' if deleted else ""
    return (
        f'<article class="clip" id="clip-{number}" data-device="{escape(clip.device)}" data-begin="{clip.begin}" '
        f'data-end="{end}"><header><h3>Clip {number}</h3>{f"<span>{escape(where)}</span>" if where else ""}'
        f"{_verdict(clip)}{gone}"
        f'<button type="button" class="show" title="Show it in the timeline">{escape(when)}</button></header>'
        f"{player}{_words(clip, lines)}<dl>{facts}</dl></article>"
    )


def _verdict(clip: Clip) -> str:
    if clip.false is None:
        return ""
    return '<b class="verdict false">false wake</b>' if clip.false else '<b class="verdict true">true wake</b>'


def _facts(clip: Clip) -> Iterator[tuple[str, str]]:
    yield "Why it began", " ".join(_began(clip))
    if clip.reason:
        yield "Why it ended", ENDS.get(clip.reason, clip.reason).capitalize() + "."
    if clip.answered_by:
        mine = clip.answered_by == clip.device
        yield "Answered", "This clip was answered." if mine else f"Left to {clip.answered_by}."
    yield "Delivery", _delivery(clip)


def _began(clip: Clip) -> Iterator[str]:
    wake = clip.wake
    if wake is None:
        asked = clip.initiator == "expect_speech"
        yield "The far end had asked: the microphone was open without a wake word." if asked else "Not known."
        return
    yield f"“{wake['word']}” scored {wake['score']:.3f}; the threshold is {wake['threshold']:g}."
    if isinstance(begin := wake.get("word_begin"), int) and isinstance(end := wake.get("word_end"), int):
        before = (begin - clip.begin) * 1000 // RATE
        yield f"The word was taken to be at {clock(begin)} to {clock(end)}; the clip begins {before} ms before it."
    if wake.get("warming_up"):
        yield "The model had not heard enough yet to be sure."


def _delivery(clip: Clip) -> str:
    parts = clip.parts.values()
    sent = sum(part.bytes or 0 for part in parts)
    size = f", {sent / 1000:.0f} kB" if sent else ""
    what = f"{count(len(parts), 'part')}{size}" if parts else "Parts are not known"
    if clip.received:
        at = f" at {clock(clip.complete)}" if clip.complete is not None else ""
        return f"{what}; the far end has all of it{at}."
    return f"{what}, of which the far end has confirmed {sum(part.received is not None for part in parts)}."


def _words(clip: Clip, lines: Sequence[Spoken]) -> str:
    """What was said and what was heard: word under word where both are known, else one beside the other."""
    heard = clip.heard
    if clip.said is None or heard is None:
        parts = [_quote("Really said", escape(clip.said))] if clip.said is not None else []
        made = escape(heard) if heard else "<i>nothing</i>" if heard is not None else f"<i>{escape(_silent(clip))}</i>"
        return f'<div class="made">{"".join([*parts, _quote(_maker(clip), made)])}</div>{_others(clip)}'
    found = compare(clip.said, heard)
    texts = _quote("Really said", _marked(found.said, "del")) + _quote(
        _maker(clip), _marked(found.heard, "ins") or "<i>nothing</i>"
    )
    drawn, counted = interlinear(clip, lines)
    title = (
        f'<h4 aria-hidden="true">Really said, and under it {escape(_maker(clip)[0].lower() + _maker(clip)[1:])}</h4>'
    )
    both = f'{title}{drawn}<div class="made sr">{texts}</div>' if drawn else f'<div class="made">{texts}</div>'
    return f"{both}{_errors(found, counted)}{_others(clip)}"


def _others(clip: Clip) -> str:
    others = [text for text in clip.alternatives if text != clip.heard]
    if not others:
        return ""
    listed = "".join(f"<li>{escape(text) or '<i>nothing</i>'}</li>" for text in others)
    return (
        f'<details class="others"><summary>{count(len(others), "other reading")}</summary><ol>{listed}</ol></details>'
    )


def _silent(clip: Clip) -> str:
    return f"no transcript: {clip.unanswered}" if clip.unanswered else "no transcript"


def _maker(clip: Clip) -> str:
    return f"What {clip.recognizer or 'the far end'} made of it"


def _quote(title: str, body: str) -> str:
    return f"<div><h4>{escape(title)}</h4><p>{body}</p></div>"


def _marked(words: tuple[tuple[str, bool], ...], tag: str) -> str:
    """Runs of words without a counterpart stand in `tag`."""
    runs = ((same, escape(" ".join(word for word, _ in run))) for same, run in groupby(words, lambda word: word[1]))
    return " ".join(text if same else f"<{tag}>{text}</{tag}>" for same, text in runs)


def _errors(found: Comparison, counted: tuple[int, int] | None) -> str:
    """How many words are wrong, where it is known which were said in the clip."""
    said = sum(any(letter.isalnum() for letter in word) for word, _ in found.said)
    wrong, of = (found.errors, said if found.whole else 0) if counted is None else counted
    if not of:
        return ""
    told = f"{count(wrong, 'word')} of {of} misheard" if wrong <= of else f"{wrong} errors in {count(of, 'word')}"
    told = told if wrong else "every word right"
    return f'<small class="errors">{told}</small>'


def _picture(clip: Clip, samples: NDArray[np.int16]) -> str:
    """The envelope of the sound as SVG, one unit a column, with the word that woke the device marked."""
    bounds = np.linspace(0, len(samples), min(COLUMNS, len(samples)) + 1).astype(int)[:-1]
    loud = np.maximum.reduceat(np.abs(samples.astype(np.int32)), bounds)
    heights = np.maximum(1, np.rint(loud * (48.0 / max(1, int(loud.max()))))).astype(int)
    path = "".join(f"M{x} {50 - y}v{2 * y}" for x, y in enumerate(heights))
    wake = clip.wake or {}
    word = ""
    if "word_begin" in wake and "word_end" in wake:
        left, right = ((wake[name] - clip.begin) / len(samples) * 100 for name in ("word_begin", "word_end"))
        word = f'<rect class="word" x="{left:.2f}%" width="{max(0.0, right - left):.2f}%" y="0" height="100%"/>'
    return (
        f'<div class="picture"><svg aria-hidden="true">{word}<svg viewBox="-0.5 0 {len(heights)} 100" '
        f'preserveAspectRatio="none"><path d="{path}"/></svg></svg><i class="cursor" hidden></i></div>'
    )
