"""What a run leaves behind: one directory, the same for a device and a simulation."""

from __future__ import annotations

import csv
import errno
import json
import math
import platform
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device import durable
from device.audio import Block
from device.errors import DeviceError
from device.events import Event, Kind, Stream
from device.gauge import FILE as GAUGE
from uplink.message import JSON
from wakeword.errors import SoundError
from wakeword.frames import HOP
from wakeword.sound import RATE, SoundWriter, encode_flac
from wakeword.span import word_span

_FILES = ("run.json", "events.jsonl", "home.flac", "labels.txt", "scores.npy", "report.html", GAUGE)
DEVICES = "devices"
"""Where the directories of further devices of one run lie, one each, by name."""
_PICTURES = ("*.png", "*.svg", "*.pdf")
"""May have been drawn into the directory of a run, and stay when another takes its place."""
_HALF = f"*{durable.HALF}"
"""What a power cut may leave of a file."""
_FAULTS = (errno.EROFS, errno.EIO)
"""Of a disk that more room would not help."""
_CLIP_FILE = re.compile(r"metadata\.csv|[a-z0-9-]+-\d{12,}\.flac")
_PACKAGES = ("misheard", "numpy", "onnxruntime", "openwakeword", "pocketsphinx", "vosk", "soxr", "soundfile")

Addressed = Callable[[int, int], bool]
"""Whether somebody addressed the device between two samples: the truth, where it is known."""
Meant = Callable[[Mapping[str, Any], int, int], bool]
"""Whether somebody meant, between two samples, to send a message (its facts) to whom it went."""


class RunDirectory:
    """Writes a run directory as the run goes on; `close` completes it.

    Files: `run.json` (manifest and outcome), `events.jsonl`, `scores.npy` float32[hops, words] (row k: the hop that
    begins at sample 1280 k after `begin`; NaN where it was not listened to), `labels.txt` (Audacity), `clips/<id>.flac`
    with `clips/metadata.csv` (Hugging Face AudioFolder), and `home.flac` where audio is kept. `run.json` is last, and
    whole or not there: what else a directory with one holds is on the disk.
    """

    def __init__(
        self,
        folder: Path,
        stream: Stream,
        words: tuple[str, ...],
        *,
        keep_audio: bool = False,
        addressed: Addressed | None = None,
        meant: Meant | None = None,
        begin: int = 0,
    ) -> None:
        """Make the folder, for what is heard from sample `begin` on, a multiple of 1280.

        An earlier run in it is replaced. Raises DeviceError where that cannot be.
        """
        self.folder, self._stream = folder, stream
        self._addressed, self._meant = addressed, meant
        self._words = words
        try:
            _clear(folder)
            (folder / "clips").mkdir(parents=True)
            self._events = (folder / "events.jsonl").open("w", encoding="utf-8")
            self._home = SoundWriter(folder / "home.flac") if keep_audio else None
        except OSError as error:
            raise DeviceError(f"{folder} cannot be written ({error.strerror}); choose another with --out") from None
        self._begin = self._end = self._home_end = begin
        self._broken: str | None = None
        self._recognizers: set[str] = set()
        self.messages: list[dict[str, Any]] = []
        """Sent so far, as in `run.json`."""
        self.deleted: list[str] = []
        """Clips deleted so far."""
        self._scores = array("f")
        self._labels: list[tuple[int, int, str]] = []
        self._clips: dict[str, dict[str, Any]] = {}
        self._sound: dict[str, list[NDArray[np.int16]]] = {}
        self._wakes = {"true": 0, "false": 0, "near_misses": 0} if addressed else {"all": 0, "near_misses": 0}

    def hear(self, block: Block) -> None:
        """Keep what the microphone heard, where audio is kept; a gap is silence there."""
        if self._home is not None and self._broken is None:
            with self._on_disk():
                while self._home_end < block.begin:  # piece by piece: a muted device may have days of it
                    silence = np.zeros(min(block.begin - self._home_end, 60 * RATE), np.int16)
                    self._home.append(silence)
                    self._home_end += len(silence)
                self._home.append(block.samples)
            self._home_end = block.end

    @property
    def capturing(self) -> bool:
        """Whether a clip is open."""
        return bool(self._sound)

    @property
    def broken(self) -> str | None:
        """Why the disk no longer takes what is heard, if it does not."""
        return self._broken

    def label(self, begin: int, end: int, text: str) -> None:
        """Add a label to the track, samples begin to end."""
        self._labels.append((begin, end, text))

    def note(self, event: Event) -> None:
        """Take an event, in order; an observer of `device.runtime.Runtime`."""
        self._end = event.sample
        if event.kind == Kind.HOP:
            missing = ((event.sample - self._begin) // HOP - 1) * len(self._words) - len(self._scores)
            self._scores.extend([math.nan] * missing)
            self._scores.extend(event.facts["scores"])  # type: ignore[arg-type]
            return
        if event.kind == Kind.CLOCK_SET:
            self._stream = Stream.from_zero(self._stream.device, str(event.facts["zero"]))
        if event.kind == Kind.PART:
            assert event.audio is not None
            self._sound[str(event.facts["clip"])].append(event.audio)
        line: dict[str, JSON] = {"sample": event.sample, "utc": self._stream.utc_at(event.sample), "kind": event.kind}
        if self._broken is None:
            with self._on_disk():
                # What the line is about stands first, and no fact of the same name may replace it.
                self._events.write(json.dumps({**line, **event.facts, **line}, ensure_ascii=False) + "\n")
                self._events.flush()
        handler = self._handlers.get(event.kind)
        if handler is not None:
            handler(self, event.sample, event.facts)

    def _wake(self, sample: int, facts: Mapping[str, Any]) -> None:
        begin, end = word_span(facts["word"], sample)
        kind = "all" if self._addressed is None else "true" if self._addressed(begin, end) else "false"
        self._wakes[kind] += 1
        self.label(max(begin, 0), end, f"wake {facts['word']} {facts['score']:.2f}")

    def _near_miss(self, _: int, facts: Mapping[str, Any]) -> None:
        self._wakes["near_misses"] += 1
        self.label(facts["peak"], facts["peak"], f"near miss {facts['word']} {facts['score']:.2f}")

    def _capture_begin(self, _: int, facts: Mapping[str, Any]) -> None:
        self._sound[facts["clip"]] = []
        self._clips[facts["clip"]] = {"clip": facts["clip"], "begin": facts["begin"]}

    def _capture_end(self, _: int, facts: Mapping[str, Any]) -> None:
        clip, begin, end = facts["clip"], facts["begin"], facts["end"]
        samples = np.concatenate(self._sound.pop(clip))
        name = f"{clip}.flac" if len(samples) else ""
        if name and self._broken is None:
            with self._on_disk():
                durable.write(self.folder / "clips" / name, encode_flac(samples), settle=False)
        self._clips[clip] |= {"file_name": name, "end": end, "reason": facts["reason"]}
        self.label(begin, end, f"capture, ended by {facts['reason']}")

    def _received(self, _: int, facts: Mapping[str, Any]) -> None:
        if facts["complete"] and facts["clip"] in self._clips:
            self._clips[facts["clip"]]["received"] = True

    def _transcript(self, _: int, facts: Mapping[str, Any]) -> None:
        if facts["clip"] in self._clips:
            self._clips[facts["clip"]]["transcript"] = facts["text"]
            self._recognizers.add(str(facts["recognizer"]))

    def _prompt(self, sample: int, facts: Mapping[str, Any]) -> None:
        self.label(sample, sample + facts["samples"], f"prompt: {facts['text']}")

    def _message(self, sample: int, facts: Mapping[str, Any]) -> None:
        steps = [step["clip"] for step in facts.get("because", ())]
        turns = [self._clips[clip] for clip in steps if clip in self._clips]
        begin = min((clip["begin"] for clip in turns), default=sample)
        misdirected = None if self._meant is None else not self._meant(facts, begin, sample)
        told = {name: facts[name] for name in ("to", "audio_s", "id", "clip") if name in facts}
        self.messages.append({**told, "misdirected": misdirected})

    def _delete(self, _: int, facts: Mapping[str, Any]) -> None:
        self.deleted += [clip for clip in facts["clips"] if clip not in self.deleted]

    _handlers: Mapping[str, Callable[[RunDirectory, int, Mapping[str, Any]], None]] = {
        Kind.WAKE: _wake,
        Kind.NEAR_MISS: _near_miss,
        Kind.CAPTURE_BEGIN: _capture_begin,
        Kind.CAPTURE_END: _capture_end,
        Kind.PROMPT: _prompt,
        "receipt": _received,
        "transcript": _transcript,
        "message": _message,
        "deleted": _delete,
    }

    def close(self, manifest: Mapping[str, JSON], **outcome: Any) -> dict[str, Any]:
        """Write what is only known at the end; give the content of `run.json`, to which `outcome` adds.

        Raises DeviceError where the disk did not take all of it: the device goes on without, and it is told here.
        """
        uploaded = sum(clip.get("end", clip["begin"]) - clip["begin"] for clip in self._clips.values())
        run: dict[str, Any] = {
            "manifest": {
                "versions": versions(),
                "stream": self._stream.name,
                "words": list(self._words),
                "samples": [self._begin, self._end],
                "recognizers": sorted(self._recognizers),
                **manifest,
            },
            "wakes": self._wakes,
            "clips": {
                "captured": len(self._clips),
                "received": sum(bool(clip.get("received")) for clip in self._clips.values()),
                "uploaded_s": uploaded / RATE,
            },
            "messages": self.messages,
            "deleted": self.deleted,
            **outcome,
        }
        with self._on_disk():
            durable.close(self._events)
            if self._home is not None:
                self._home.close()
            scores = BytesIO()
            np.save(scores, np.array(self._scores, np.float32).reshape(-1, len(self._words)))
            durable.write(self.folder / "scores.npy", scores.getvalue())
            durable.settle(sorted((self.folder / "clips").glob("*.flac")))
            self._write_clips()
            self._write_labels()
            write_run(self.folder, run)
            _point_to(self.folder)
        if self._broken is not None:
            raise DeviceError(self._broken)
        return run

    def _write_clips(self) -> None:
        fields = ("file_name", "clip", "begin", "end", "reason", "received", "transcript")
        table = StringIO(newline="")
        writer = csv.DictWriter(table, fields, restval="")
        writer.writeheader()
        writer.writerows(clip for clip in self._clips.values() if clip.get("file_name"))
        durable.write(self.folder / "clips" / "metadata.csv", table.getvalue().encode())

    def _write_labels(self) -> None:
        lines = [f"{begin / RATE:.6f}\t{end / RATE:.6f}\t{text}\n" for begin, end, text in sorted(self._labels)]
        durable.write(self.folder / "labels.txt", "".join(lines).encode())

    @contextmanager
    def _on_disk(self) -> Iterator[None]:
        """A run directory is a record, not the device's duty: what keeps it from being written must not stop that."""
        try:
            yield
        except (OSError, SoundError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            mend = "look at that disk" if isinstance(error, OSError) and error.errno in _FAULTS else "make room there"
            self._broken = self._broken or f"the run directory {self.folder} is not complete ({why}); {mend}"


def write_run(folder: Path, run: Mapping[str, Any]) -> None:
    """Write `run.json`; raises OSError."""
    durable.write(folder / "run.json", (json.dumps(run, indent=1, sort_keys=True) + "\n").encode())


def versions() -> dict[str, str]:
    """What a result depends on, and in which version."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _clear(folder: Path) -> None:
    """Remove an earlier run; refuse to touch a folder that holds anything else."""
    if not folder.exists():
        return
    devices = tuple((folder / DEVICES).glob("*"))
    for each in (folder, *devices):
        if not is_run(each):
            raise DeviceError(f"{each} holds more than a run; choose another folder with --out, or empty it")
    for each in (*devices, folder):
        for path in (*(each / "clips").glob("*"), *each.glob(_HALF), *(each / name for name in _FILES)):
            path.unlink(missing_ok=True)
        for name in ("clips", DEVICES):
            if (each / name).is_dir():
                (each / name).rmdir()
        if each is not folder:
            each.rmdir()


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run, or a part of one, and nothing else; raises OSError."""
    clips = (folder / "clips").glob("*")
    known = (*_FILES, "clips", DEVICES, *_PICTURES, _HALF)
    ours = all(any(fnmatchcase(path.name, name) for name in known) for path in folder.iterdir())
    return ours and all(_CLIP_FILE.fullmatch(path.name.removesuffix(durable.HALF)) for path in clips)


def _point_to(folder: Path) -> None:
    """Let `runs/latest` lead to a run in `runs/`."""
    if folder.parent.name != "runs" or folder.name == "latest":
        return
    link = folder.parent / "latest"
    if link.is_symlink() or not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(folder.name)
