"""The clips of a run: why each began and ended, what became of it, and what was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.report.folder import Facts, Run
from sim.report.speech import Spoken, Word, spoken, words_of
from wakeword.errors import SoundError
from wakeword.sound import decode_flac
from wakeword.span import word_span


@dataclass(frozen=True)
class Sound:
    """A FLAC as it lies in the run directory, and its samples int16[n]."""

    path: Path
    data: bytes
    samples: NDArray[np.int16]


@dataclass
class Part:
    """A part on its way: samples `begin` to `end` of the stream; when it was sent and received, where it was."""

    number: int
    begin: int
    end: int
    bytes: int | None = None
    sent: int | None = None
    received: int | None = None


@dataclass
class Clip:
    """What is known of a clip, filled in as the run is read; `end` is None where it did not end.

    `wake`: facts of the wake that began it. `false`: whether nobody had addressed the device, None where that is not
    known. `complete`: when the far end had all of it. `words`: what was heard, at samples of the stream.
    `answered_by`: the device that was chosen among several. `sound`: None where it is missing or damaged. `number`: its
    place among all clips of a page; 0 until that is known.
    """

    name: str
    begin: int
    device: str = ""
    number: int = 0
    end: int | None = None
    reason: str = ""
    initiator: str = ""
    wake: Facts | None = None
    false: bool | None = None
    parts: dict[int, Part] = field(default_factory=dict)
    complete: int | None = None
    received: bool = False
    recognizer: str = ""
    heard: str | None = None
    words: tuple[Word, ...] = ()
    alternatives: tuple[str, ...] = ()
    said: str | None = None
    unanswered: str = ""
    answered_by: str = ""
    sound: Sound | None = None

    @property
    def stop(self) -> int:
        """Its end, or its begin where it did not end."""
        return self.begin if self.end is None else self.end


def clips_of(run: Run) -> tuple[tuple[Clip, ...], tuple[str, ...]]:
    """Give the clips in order, and a remark for each whose sound cannot be had."""
    clips: dict[str, Clip] = {}
    remarks: list[str] = []
    for row in run.rows:
        clip = clips[row["clip"]] = Clip(row["clip"], int(row["begin"]), run.name)
        clip.end, clip.reason = int(row["end"]), row.get("reason", "")
        clip.received = row.get("received") == "True"
        clip.heard = row.get("transcript") or None
        try:
            clip.sound = _sound(run.folder / "clips" / Path(row.get("file_name", "")).name)
        except (OSError, SoundError):
            remarks.append(f"The sound of clip {clip.name} is missing or damaged.")
    _follow(run, clips)
    lines = spoken(run)
    for clip in clips.values():
        if run.outcome.wakes.all is None and clip.wake is not None:
            clip.false = not _addressed(clip, lines)
    return tuple(sorted(clips.values(), key=lambda clip: clip.begin)), tuple(remarks)


def number_clips(found: Iterable[Sequence[Clip]]) -> list[Clip]:
    """Number the clips of all devices in order of time; give them in that order."""
    ordered = sorted((clip for clips in found for clip in clips), key=lambda clip: clip.begin)
    for number, clip in enumerate(ordered, 1):
        clip.number = number
    return ordered


def _sound(path: Path) -> Sound:
    data = path.read_bytes()
    return Sound(path, data, decode_flac(data))


def _addressed(clip: Clip, lines: tuple[Spoken, ...]) -> bool:
    """Whether the word that woke the device lies in a line that was said to it, as `run.json` counts it."""
    assert clip.wake is not None
    begin, end = word_span(clip.wake["word"], clip.wake["sample"])
    return any(line.addressed and line.begin < end and begin < line.end for line in lines)


def _follow(run: Run, clips: dict[str, Clip]) -> None:
    wake: Facts | None = None
    for event in run.events:
        at, facts = event.sample, event.facts
        if event.kind == "wake":
            wake = {**facts, "sample": at}
        elif event.kind == "capture_begin":
            clip = clips.setdefault(str(facts["clip"]), Clip(str(facts["clip"]), int(str(facts["begin"])), run.name))
            clip.initiator = str(facts["initiator"])
            clip.wake = wake if clip.initiator == "wakeword" else None
        elif (known := clips.get(str(facts.get("clip")))) is not None:
            _note(known, event.kind, at, facts)


def _note(clip: Clip, kind: str, at: int, facts: Facts) -> None:
    part = clip.parts.get(facts.get("number", -1))
    match kind:
        case "capture_end":
            clip.end, clip.reason = facts["end"], facts["reason"]
        case "part":
            clip.parts[facts["number"]] = Part(facts["number"], facts["begin"], facts["end"])
        case "part_sent" if part is not None:
            part.sent, part.bytes = at, facts["bytes"]
        case "receipt":
            if part is not None and part.received is None:
                part.received = at
            if facts["complete"] and clip.complete is None:
                clip.complete, clip.received = at, True
        case "transcript":
            clip.heard, clip.recognizer = facts["text"], facts["recognizer"]
            clip.words = words_of(facts.get("words"), clip.begin)
            others = facts.get("alternatives")
            clip.alternatives = tuple(map(str, others)) if isinstance(others, list) else ()
        case "really_said":
            clip.said = facts["text"]
        case "arbitrated":
            clip.answered_by = facts["winner"]
        case "unanswered":
            clip.unanswered = str(facts.get("reason", ""))
