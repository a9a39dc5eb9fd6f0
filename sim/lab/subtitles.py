"""Subtitles of one's own media, SRT or WebVTT: what is said when, as far as they go. The only file that knows srt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import srt
from numpy.typing import NDArray

from sim.errors import LabError
from wakeword.sound import RATE

ENDINGS = (".srt", ".vtt")

_TIME = r"(?:(\d+):)?(\d\d):(\d\d)\.(\d\d\d)"
_VTT = re.compile(rf"^{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t].*)?$")
_TAGS = re.compile(r"<[^>]*>|\{\\[^}]*\}|\[[^\]]*\]|\([^)]*\)|♪")
"""Marks of speakers and styles, and what is no speech: ``[door creaks]``, ``(laughs)``."""

BIN_S = 0.1
FARTHEST_S = 60
DRIFT_S = 1.0
"""Subtitles that lie so much differently at the end than at the beginning drift."""

ENOUGH = 0.05
"""How much better an offset must fit, as a correlation, to be believed."""


@dataclass(frozen=True)
class Cue:
    """One subtitle: samples at 16 kHz, and its text in one line."""

    begin: int
    end: int
    text: str

    @property
    def words(self) -> list[str]:
        """As they would be counted: without marks, and without what is no speech."""
        return [word for word in _TAGS.sub(" ", self.text).split() if any(letter.isalnum() for letter in word)]


def read_subtitles(path: Path) -> list[Cue]:
    """The cues in order of time. Raises LabError for a file that is none, with the line where that is known."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"{path} cannot be read as text ({error}); save it as UTF-8") from None
    cues = sorted(_vtt(path, text) if path.suffix.lower() == ".vtt" else _srt(path, text), key=lambda cue: cue.begin)
    if not cues:
        raise LabError(f"{path} holds no subtitle; give the one that belongs to the sound")
    for cue in cues:
        if cue.end <= cue.begin:
            raise LabError(f"{path}: {cue.text!r} at {cue.begin / RATE:.2f} s ends before it begins; mend it")
    return cues


def _srt(path: Path, text: str) -> Iterator[Cue]:
    try:
        for each in srt.parse(text):
            begin, end = (round(at.total_seconds() * RATE) for at in (each.start, each.end))
            yield Cue(begin, end, " ".join(each.content.split()))
    except (srt.SRTParseError, ValueError) as error:
        raise LabError(f"{path} is no SRT ({' '.join(str(error).split())[:120]}); mend it") from None


def _vtt(path: Path, text: str) -> Iterator[Cue]:
    lines = text.splitlines()
    if not lines or not lines[0].startswith("WEBVTT"):
        raise LabError(f"{path}, line 1: a WebVTT file begins with WEBVTT; mend it, or name it .srt")
    at, number = 0, 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if "-->" not in line:
            continue
        found = _VTT.match(line.strip())
        if found is None:
            raise LabError(f"{path}, line {number}: {line.strip()!r} are no times; mend them")
        begin, end = _samples(found.groups()[:4]), _samples(found.groups()[4:])
        at = number
        while number < len(lines) and lines[number].strip():
            number += 1
        yield Cue(begin, end, " ".join(" ".join(lines[at:number]).split()))


def _samples(fields: Sequence[str | None]) -> int:
    hours, minutes, seconds, thousandths = (int(field or 0) for field in fields)
    return ((hours * 60 + minutes) * 60 + seconds) * RATE + thousandths * RATE // 1000


def said_between(cues: Sequence[Cue], begin: int, end: int) -> str:
    """What is said between two samples, in one line."""
    return " ".join(" ".join(cue.words) for cue in cues if cue.begin < end and begin < cue.end)


@dataclass(frozen=True)
class Fit:
    """By how many seconds subtitles come too early (positive) in the first and in the last half of the sound."""

    first_s: float
    last_s: float

    @property
    def drifts(self) -> bool:
        """Whether that is not the same."""
        return abs(self.first_s - self.last_s) > DRIFT_S

    @property
    def late(self) -> bool:
        """Whether they lie elsewhere, if all in the same way."""
        return not self.drifts and abs(self.first_s) > DRIFT_S


def fit(cues: Sequence[Cue], speech: NDArray[np.bool_], hop: int) -> Fit:
    """Lay subtitles along where the sound holds speech, bool[h], one a hop of so many samples."""
    n = int(len(speech) * hop / RATE / BIN_S)
    heard = speech[(np.arange(n) * BIN_S * RATE / hop).astype(int)] if n else np.zeros(0, bool)
    shown = np.zeros(n, bool)
    for cue in cues:
        shown[int(cue.begin / RATE / BIN_S) : int(cue.end / RATE / BIN_S) + 1] = True
    half = n // 2
    return Fit(_offset(shown, heard, 0, half), _offset(shown, heard, half, n))


def _offset(shown: NDArray[np.bool_], heard: NDArray[np.bool_], begin: int, end: int) -> float:
    """The offset at which what is heard from one bin to another fits best; 0 where another is no better."""
    part = heard[begin:end].astype(float)
    if not len(part) or part.std() == 0:
        return 0.0
    farthest = min(int(FARTHEST_S / BIN_S), len(part))
    scores = {}
    for shift in sorted(range(-farthest, farthest + 1), key=abs):
        there = np.arange(begin, end) - shift
        inside = (there >= 0) & (there < len(shown))
        laid = np.where(inside, shown[np.clip(there, 0, len(shown) - 1)], False).astype(float)
        scores[shift] = float(np.corrcoef(part, laid)[0, 1]) if laid.std() else 0.0
    best = max(scores, key=lambda shift: scores[shift])
    return round(best * BIN_S, 1) if scores[best] > scores[0] + ENOUGH else 0.0
