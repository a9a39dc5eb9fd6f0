"""Where test sets come from: folders, AudioFolders, labelled streams, microWakeWord's manifests, and texts to speak."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from sim.errors import LabError
from sim.lab.clips import Clip, recorded
from sim.lab.matching import Span
from sim.lab.spoken import read_out
from wakeword.sound import RATE

SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au")
"""Endings of sound files in folders."""

COLUMNS = ("file_name", "word_begin_s", "word_end_s", "voice", "text")
"""What is read of an AudioFolder's metadata; other columns are left alone."""


def shipped_texts() -> dict[str, Path]:
    """Texts that come with the lab, by name."""
    folder = files("configs").joinpath("lab")
    return {Path(str(each)).stem: Path(str(each)) for each in folder.iterdir() if each.name.endswith(".txt")}


def clips_of(source: str, positive: bool, word: str, voices: Sequence[str]) -> list[Clip]:
    """The clips of one source, which says `word` or does not.

    A folder of sound, an AudioFolder (a folder with `metadata.csv` or `metadata.jsonl`), one sound file, or a text
    (`.txt`, or the name of a shipped one), which `voices` read out. Raises LabError and VoiceError.
    """
    path = Path(source)
    unlabelled: tuple[Span, ...] | None = None if positive else ()
    if source in shipped_texts() and not path.exists():
        path = shipped_texts()[source]
    if path.is_file() and path.suffix == ".txt":
        return list(read_out(path, positive, word, voices))
    if path.is_file():
        return [recorded(path, str(path), unlabelled)]
    if not path.is_dir():
        texts = ", ".join(shipped_texts())
        raise LabError(f"{source} is no folder, sound or text that is there; the texts that ship are {texts}")
    for name in ("metadata.csv", "metadata.jsonl"):
        if (path / name).is_file():
            return list(_audio_folder(path, path / name, positive))
    return _folder(path, sorted(path.rglob("*")), unlabelled)


def _folder(folder: Path, paths: Sequence[Path], words: tuple[Span, ...] | None) -> list[Clip]:
    """Each sound file; who speaks is the name of its own folder inside, where there is one."""
    sounds = [path for path in paths if path.suffix.lower() in SOUNDS and path.is_file()]
    if not sounds:
        raise LabError(f"{folder} holds no sound ({', '.join(SOUNDS)}); name another folder")
    return [recorded(path, str(path), words, path.relative_to(folder).parent.as_posix().strip(".")) for path in sounds]


def _audio_folder(folder: Path, metadata: Path, positive: bool) -> Iterator[Clip]:
    spans: dict[str, list[Span]] = {}
    facts: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for line, row in _rows(metadata):
        name = row.get("file_name") or ""
        if not name:
            raise LabError(f"{metadata}, line {line}: no file_name; each row names its sound")
        span = _span(row.get("word_begin_s"), row.get("word_end_s"), f"{metadata}, line {line}")
        if span is not None and not positive:
            raise LabError(f"{metadata}, line {line}: {name} has a wake word, and is among what should have none")
        if name in facts and (span is None or not spans[name]):
            raise LabError(f"{metadata}, line {line}: {name} is there already, in line {facts[name][0]}; name it once")
        facts.setdefault(name, (line, row))
        spans.setdefault(name, []).extend([span] if span else [])
    if not facts:
        raise LabError(f"{metadata} names no sound; a row has at least file_name")
    for name, (line, row) in facts.items():
        path = folder / name
        if not path.is_file():
            raise LabError(f"{metadata}, line {line}: {path} is not there; copy it, or take the row out")
        words = tuple(sorted(spans[name])) if spans[name] else None if positive else ()
        text = row.get("text") or row.get("transcription") or row.get("transcript") or ""
        clip = recorded(path, str(path), words, str(row.get("voice") or ""), str(text))
        yield Clip(clip.name, clip.chunks, words, clip.voice, clip.text, f"{metadata}, line {line}")


def _rows(metadata: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows with their line numbers; raises LabError."""
    try:
        text = metadata.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"{metadata} cannot be read as text ({error}); save it as UTF-8") from None
    if metadata.suffix == ".csv":
        reader = csv.DictReader(text.splitlines())
        if "file_name" not in (reader.fieldnames or ()):
            raise LabError(f"{metadata} has no column file_name; its columns are {', '.join(reader.fieldnames or ())}")
        yield from ((reader.line_num, row) for row in reader)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise LabError(f"{metadata}, line {number}: no JSON ({error}); write one object a line") from None
            if not isinstance(row, dict):
                raise LabError(f"{metadata}, line {number}: no JSON object; write one object a line")
            yield number, row


def _span(begin: object, end: object, where: str) -> Span | None:
    if begin in (None, "") and end in (None, ""):
        return None
    try:
        first, last = float(str(begin)), float(str(end))
    except ValueError:
        raise LabError(f"{where}: a word is from {begin!r} to {end!r} s; both must be numbers") from None
    if not 0 <= first < last < math.inf:
        raise LabError(f"{where}: a word cannot be from {begin} to {end} s; it must end after it begins, at 0 or later")
    return round(first * RATE), round(last * RATE)


def stream_of(sound: str) -> Clip:
    """A long recording with a file of labels beside it (`.txt` or `.csv`), as Picovoice's benchmark mixes them.

    Each line is ``begin, end`` in seconds, of one wake word; what is not labelled is sound without it. Raises LabError.
    """
    path = Path(sound)
    beside = [path.with_suffix(ending) for ending in (".txt", ".csv") if path.with_suffix(ending).is_file()]
    if not path.is_file() or not beside:
        raise LabError(f"{sound} must be a sound file with its labels beside it, in {path.with_suffix('.txt')}")
    spans = []
    for number, line in enumerate(beside[0].read_text(encoding="utf-8").splitlines(), 1):
        fields = line.replace("\t", ",").split(",")
        if not line.strip() or not any(each.strip() for each in fields):
            continue
        begin, end = (each.strip() for each in (*fields, "")[:2])
        span = _span(begin, end, f"{beside[0]}, line {number}")
        spans.extend([span] if span else [])
    clip = recorded(path, sound, tuple(sorted(spans)))
    return Clip(sound, clip.chunks, clip.words, where=str(beside[0]))


def manifest_of(path: Path) -> list[Clip]:
    """The clips of a microWakeWord training file: `features` of `type: clips`, each with its `truth`.

    Sets of spectrograms (`type: mmap`) are no sound, and refused. Raises LabError.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LabError(f"{path} cannot be read as YAML ({' '.join(str(error).split())})") from None
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list) or not features:
        raise LabError(f"{path} has no list called features; give a microWakeWord training file")
    clips: list[Clip] = []
    for number, each in enumerate(features, 1):
        where = f"{path}, features {number}"
        if not isinstance(each, dict) or not isinstance(each.get("truth"), bool) or "features_dir" not in each:
            raise LabError(f"{where}: needs features_dir and truth: true or false")
        if each.get("type") != "clips":
            raise LabError(f"{where}: {each.get('type')} holds spectrograms and no sound; give the clips they are of")
        folder = path.parent / str(each["features_dir"])
        if not folder.is_dir():
            raise LabError(f"{where}: {folder} is no folder that is there")
        paths = sorted(folder.glob(str(each.get("input_glob", "**/*"))))
        clips += _folder(folder, paths, None if each["truth"] else ())
    return clips
