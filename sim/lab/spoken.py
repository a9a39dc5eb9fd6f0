"""Test sets that are spoken by voices: a text, read out by each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from sim.errors import LabError
from sim.lab.clips import Clip
from sim.lab.matching import Span
from sim.speech.library import Speech, load_lines
from sim.speech.voices import Voice, must_speak
from sim.speech.words import Word
from wakeword.sound import RATE, Samples

PAUSE = RATE // 2
"""Between the lines of a paragraph, half a second."""


def read_out(path: Path, positive: bool, word: str, voices: Sequence[str]) -> Iterator[Clip]:
    """Each paragraph (lines without a blank one between) by each voice is a clip.

    With the wake word, `word` as it is written (`hey_jarvis` is "hey jarvis"), every line must have it: each line is a
    clip then. Without, no line may. Raises LabError and VoiceError.
    """
    spoken = word.replace("_", " ").lower().split()
    try:
        parsed = [Voice.parse(voice) for voice in voices]
    except ValueError as error:
        raise LabError(f"--voice: {error}") from None
    for each in parsed:
        must_speak(each)
    paragraphs = list(_paragraphs(path, positive))
    for number, lines in paragraphs:
        for offset, line in enumerate(lines):
            said = _has(line, spoken)
            if said != positive:
                what = "does not say" if positive else "says"
                raise LabError(f"{path}, line {number + offset}: {line!r} {what} {word}; change it")
    for voice in voices:
        for number, lines in paragraphs:
            speech = load_lines([(voice, line) for line in lines])
            words = _spans(speech.words((voice, lines[0])), spoken) if positive else ()
            if positive and not words:
                raise LabError(f"{path}, line {number}: where {voice} says {word} in it was not found; change the line")
            name = f"{path.stem} {number} {voice}"
            sound = _Reader(speech, tuple((voice, line) for line in lines))
            where = f"{path}, line {number}"
            yield Clip(name, sound, words, voice, " ".join(lines), where, read_out=True)


def _paragraphs(path: Path, positive: bool) -> Iterator[tuple[int, list[str]]]:
    """Line number and lines of each; lines that begin with # are remarks."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"{path} cannot be read as text ({error}); save it as UTF-8") from None
    begin, any_line = 0, False
    lines: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.startswith("#"):
            continue
        if line.strip():
            begin, any_line = (begin if lines else number), True
            lines.append(line.strip())
        if lines and (positive or not line.strip()):
            yield begin, lines
            lines = []
    if not any_line:
        raise LabError(f"{path} has no line to read out")


class _Reader:
    """Gives line after line with pauses between, decoded as they are asked for."""

    def __init__(self, speech: Speech, keys: Sequence[tuple[str, str]]) -> None:
        self._speech, self._keys = speech, keys

    def __call__(self) -> Iterator[Samples]:
        for number, key in enumerate(self._keys):
            if number:
                yield np.zeros(PAUSE, np.int16)
            yield self._speech[key]


def _plain(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())


def _has(line: str, spoken: Sequence[str]) -> bool:
    words = [_plain(word) for word in line.split()]
    return any(words[at : at + len(spoken)] == list(spoken) for at in range(len(words)))


def _spans(words: Sequence[Word], spoken: Sequence[str]) -> tuple[Span, ...]:
    plain = [_plain(word) for word, _, _ in words]
    n = len(spoken)
    return tuple((words[at][1], words[at + n - 1][2]) for at in range(len(words)) if plain[at : at + n] == list(spoken))
