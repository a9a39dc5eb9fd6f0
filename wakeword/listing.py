"""Scored files as text, as they come: a table for people, JSON lines and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from wakeword.scored_file import ScoredFile, ScoredWord
from wakeword.sound import RATE
from wakeword.trigger import Detection

_NAMED = 5
"""Wakes or near misses of one file whose times the table names; JSON lines and CSV have them all."""


class Listing(Protocol):
    """Lines without their ends: what comes first, what each file adds, what comes last."""

    def head(self) -> Iterator[str]:
        """Before all files."""
        ...

    def lines(self, result: ScoredFile) -> Iterator[str]:
        """For one file."""
        ...

    def foot(self) -> Iterator[str]:
        """After all files."""
        ...


class Table:
    """One line for each file and wake word; `notes` come last."""

    def __init__(self, files: Sequence[str], words: Sequence[str], notes: Iterable[str]) -> None:
        self._layout = f"{{:<{max(map(len, (*files, 'file')))}}}  {{:>10}}  {{:<{max(map(len, (*words, 'word')))}}}"
        self._layout += "  {:>7}  {:>10} {:1} {}"
        self._notes, self._warm_up = tuple(notes), 0

    def head(self) -> Iterator[str]:
        """The columns' names."""
        yield self._layout.format("file", "length", "word", "highest", "at", "", "heard")

    def lines(self, result: ScoredFile) -> Iterator[str]:
        """A starred score still rests partly on assumed silence."""
        for word in result.words:
            score, at, star = "-", "-", ""
            if word.highest is not None:
                score, at = f"{word.highest[0]:.4f}", f"{_s(word.highest[1]):.2f} s"
                star = "*" if word.highest[1] <= result.warm_up else ""
            if star:
                self._warm_up = max(self._warm_up, result.warm_up)
            heard = [_named(word.wakes, "wake", "wakes"), _named(word.near_misses, "near miss", "near misses")]
            told = "; ".join(filter(None, [*heard, "damaged" if result.damage else ""])) or "nothing"
            length = f"{_s(result.samples):.2f} s"
            yield self._layout.format(result.file, length, word.name, score, at, star, told).rstrip()

    def foot(self) -> Iterator[str]:
        """What the star means, and the notes."""
        if self._warm_up:
            silence = "where scores still rest partly on the silence assumed before the file"
            yield f"* within the first {_s(self._warm_up):.2f} s, {silence}"
        yield from self._notes


class JsonLines:
    """One object for each file: times in seconds, ends of hops; on request with the score of each hop."""

    def __init__(self, engine: str, scores: bool) -> None:
        self._engine, self._scores = engine, scores

    def head(self) -> Iterator[str]:
        """Nothing."""
        yield from ()

    def lines(self, result: ScoredFile) -> Iterator[str]:
        """The object."""
        facts = {
            "file": result.file,
            "seconds": _s(result.samples),
            "engine": self._engine,
            "warm_up_s": _s(result.warm_up),
            "damage": result.damage,
            "words": [self._word(word) for word in result.words],
        }
        yield json.dumps(facts, ensure_ascii=False)

    def foot(self) -> Iterator[str]:
        """Nothing."""
        yield from ()

    def _word(self, word: ScoredWord) -> dict[str, Any]:
        facts = {
            "model": word.name,
            "threshold": word.settings.threshold,
            "highest": word.highest and round(word.highest[0], 6),
            "at_s": word.highest and _s(word.highest[1]),
            "wakes": [_detected(each) for each in word.wakes],
            "near_misses": [_detected(each) for each in word.near_misses],
        }
        return facts | ({"scores": [round(score, 6) for score in word.scores.tolist()]} if self._scores else {})


class Csv:
    """One row for each file and wake word; the times of wakes and near misses stand in one field each, with spaces."""

    def head(self) -> Iterator[str]:
        """The columns' names."""
        yield "file,seconds,model,threshold,highest,at_s,warm_up_s,wakes_s,near_misses_s,damage"

    def lines(self, result: ScoredFile) -> Iterator[str]:
        """The rows."""
        for word in result.words:
            score, at = ("", "") if word.highest is None else (f"{word.highest[0]:.6f}", _s(word.highest[1]))
            times = [" ".join(str(_s(each.sample)) for each in found) for found in (word.wakes, word.near_misses)]
            buffer = io.StringIO()
            row = [result.file, _s(result.samples), word.name, word.settings.threshold, score, at, _s(result.warm_up)]
            csv.writer(buffer, lineterminator="").writerow([*row, *times, result.damage or ""])
            yield buffer.getvalue()

    def foot(self) -> Iterator[str]:
        """Nothing."""
        yield from ()


def _s(sample: int) -> float:
    return round(sample / RATE, 4)


def _detected(found: Detection) -> dict[str, float]:
    return {"at_s": _s(found.sample), "score": round(found.score, 6), "peak_s": _s(found.peak_sample)}


def _named(found: Sequence[Detection], one: str, many: str) -> str:
    if not found:
        return ""
    times = ", ".join(f"{_s(each.sample):.2f}" for each in found[:_NAMED])
    more = ", ..." if len(found) > _NAMED else ""
    return f"{len(found)} {one if len(found) == 1 else many} at {times} s{more}"
