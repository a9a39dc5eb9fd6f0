"""A run directory, read: what is there, and a remark for each thing that is not."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from device.events import Event
from sim.errors import SimError
from sim.report.outcome import Outcome, read_outcome
from wakeword.sound import RATE

Facts = Mapping[str, Any]

LATEST = 10**15
"""No sample is later: two thousand years, and less than the largest whole number of a script."""

_NUMBER = (int, float)
_NEEDS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "said": {"who": str, "text": str},
    "wake": {"word": str, "score": _NUMBER, "threshold": _NUMBER},
    "wake_refused": {"word": str, "score": _NUMBER, "state": str},
    "near_miss": {"word": str, "score": _NUMBER, "threshold": _NUMBER, "peak": int},
    "state": {"to": str, "cause": str},
    "light": {"light": str},
    "capture_begin": {"clip": str, "begin": int, "initiator": str},
    "capture_end": {"clip": str, "begin": int, "end": int, "reason": str},
    "part": {"clip": str, "number": int, "begin": int, "end": int},
    "part_sent": {"clip": str, "number": int, "bytes": int},
    "receipt": {"clip": str, "number": int, "complete": bool},
    "transcript": {"clip": str, "text": str, "recognizer": str},
    "really_said": {"clip": str, "text": str},
    "prompt": {"text": str, "samples": int},
    "prompt_audible": {
        "text": str,
        "prompt": int,
        "who": str,
        "level_db_spl": _NUMBER,
        "rest_db_spl": _NUMBER,
        "heard": bool,
    },
    "verified": {"clip": str, "passed": bool},
    "arbitrated": {"clip": str, "winner": str},
    "intent": {"clip": str, "intent": str},
    "contact": {"clip": str, "heard": str},
    "confirmation": {"clip": str, "answer": str},
    "message": {"clip": str, "to": str},
    "deleted": {"clip": str, "clips": list, "what": list, "kept": list},
    "action": {"clip": str, "name": str},
    "blocked": {"clip": str, "what": str},
    "dialog_ended": {"clip": str, "why": str},
    "audio_lost": {"samples": int, "end": int, "why": str},
    "mute": {"muted": bool},
}
"""The facts without which an event of a kind cannot be drawn."""


@dataclass(frozen=True)
class Label:
    """A line of the Audacity label track: samples `begin` to `end`, and what it says."""

    begin: int
    end: int
    text: str


@dataclass(frozen=True)
class Run:
    """What one device's run left behind.

    `name`: the device's. `beside`: from the page to the folder, empty or ending in a slash. `scores`: float32[hops,
    words], NaN where nothing was heard. `rows`: of `clips/metadata.csv`. `remarks`: what is missing or damaged, a
    sentence each.
    """

    name: str
    folder: Path
    beside: str
    outcome: Outcome
    events: tuple[Event, ...]
    labels: tuple[Label, ...]
    scores: NDArray[np.float32]
    rows: tuple[Mapping[str, str], ...]
    remarks: tuple[str, ...]

    def of(self, *kinds: str) -> Iterator[tuple[int, Facts]]:
        """Sample and facts of the events of these kinds, in order."""
        return ((event.sample, event.facts) for event in self.events if event.kind in kinds)

    @property
    def last(self) -> int:
        """Sample of the last event."""
        return max((event.sample for event in self.events), default=0)


def read_runs(folder: Path) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    """Read a run directory: its first device, the further ones in order, and a remark for each that cannot be read.

    Raises SimError where `run.json` of the first is missing or damaged.
    """
    runs, remarks = [read_run(folder)], list[str]()
    for further in sorted(path for path in (folder / "devices").glob("*") if path.is_dir()):
        try:
            runs.append(read_run(further, f"devices/{quote(further.name)}/"))
        except SimError:
            remarks.append(f"The device {further.name} is left out: its run.json is missing or damaged.")
    return tuple(_sorted_out(runs)), tuple(remarks)


def _sorted_out(runs: Sequence[Run]) -> Iterator[Run]:
    """Give each device what another was told of its clips, after what it was told itself at that sample."""
    streams = {f"{run.outcome.manifest.stream}-": run.name for run in runs if run.outcome.manifest.stream}
    told: dict[str, list[Event]] = {run.name: [] for run in runs}
    strange: dict[str, list[Event]] = {run.name: [] for run in runs}
    for run in runs:
        for event in run.events:
            clip = str(event.facts.get("clip"))
            owner = next((name for stream, name in streams.items() if clip.startswith(stream)), run.name)
            (told if owner == run.name else strange)[owner].append(event)
    for run in runs:
        moved = strange[run.name]
        events = sorted([*told[run.name], *moved], key=lambda event: event.sample) if moved else told[run.name]
        yield replace(run, events=tuple(events))


def read_run(folder: Path, beside: str = "") -> Run:
    """Read the run of one device; raises SimError where `run.json` is missing or damaged."""
    outcome = read_outcome(folder / "run.json")
    remarks: list[str] = []
    return Run(
        folder.name if beside else outcome.manifest.device.name,
        folder,
        beside,
        outcome,
        tuple(_events(folder / "events.jsonl", remarks)),
        tuple(_labels(folder / "labels.txt", remarks)),
        _scores(folder / "scores.npy", len(outcome.manifest.words), remarks),
        tuple(_rows(folder / "clips" / "metadata.csv", remarks)),
        tuple(remarks),
    )


def _text(path: Path, lost: str, remarks: list[str]) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        remarks.append(f"{path.name} is missing: {lost}.")
        return ""


def _events(path: Path, remarks: list[str]) -> Iterator[Event]:
    damaged = 0
    for line in filter(None, _text(path, "what happened between begin and end is not known", remarks).split("\n")):
        try:
            facts = json.loads(line, parse_constant=_refuse, parse_float=_finite, parse_int=_whole)
            if "\\ud" in line.lower():  # half a letter, which JSON can say and no file can hold: a ValueError too
                json.dumps(facts, ensure_ascii=False).encode()
        except ValueError:
            facts = None
        if _is_event(facts):
            yield Event(facts.pop("sample"), facts.pop("kind"), facts)
        else:
            damaged += 1
    if damaged:
        remarks.append(f"{path.name}: {damaged} damaged line{'s' * (damaged > 1)} left out.")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def _whole(text: str) -> int:
    return int(text) if len(text) < 16 else _refuse(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _is_event(facts: Any) -> bool:
    if not isinstance(facts, dict) or not isinstance(facts.get("kind"), str):
        return False
    needs = {"sample": int, **_NEEDS.get(facts["kind"], {})}
    return all(isinstance(facts.get(name), kind) for name, kind in needs.items()) and 0 <= facts["sample"] <= LATEST


def _labels(path: Path, remarks: list[str]) -> Iterator[Label]:
    for line in _text(path, "where spoken lines end is not known", remarks).split("\n"):
        fields = line.split("\t", 2)
        try:
            begin, end = (float(field) for field in fields[:2])
        except ValueError:
            continue
        if len(fields) == 3 and 0 <= begin <= end and math.isfinite(end):
            yield Label(round(begin * RATE), round(end * RATE), fields[2])


def _scores(path: Path, words: int, remarks: list[str]) -> NDArray[np.float32]:
    try:
        scores = np.load(path, allow_pickle=False)
        if scores.ndim == 2 and scores.shape[1] == words and scores.dtype == np.float32:
            return np.asarray(scores, np.float32)
        remarks.append(f"{path.name} does not hold one score a hop and word; it is not drawn.")
    except FileNotFoundError:
        remarks.append(f"{path.name} is missing: what the wake-word model thought is not drawn.")
    except (OSError, ValueError, EOFError):
        remarks.append(f"{path.name} is damaged; it is not drawn.")
    return np.empty((0, words), np.float32)


def _rows(path: Path, remarks: list[str]) -> Iterator[Mapping[str, str]]:
    text = _text(path, "what is shown of the clips is from the events alone", remarks)
    for row in csv.DictReader(io.StringIO(text.replace("\0", ""), newline="")):
        values = {name: value or "" for name, value in row.items() if isinstance(name, str)}
        if values.get("clip") and values.get("begin", "").isdecimal() and values.get("end", "").isdecimal():
            yield values
