"""Recordings with their labels, from a run directory or from what `misheard lab` left, also as an AudioFolder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.errors import LabError
from sim.lab.labels import Mark, Recording, Tier
from sim.lab.matching import LATE, Span
from sim.lab.results import read_results, write_rows
from sim.report.folder import Run, read_runs
from sim.report.speech import Spoken, lines_of
from wakeword.errors import SoundError
from wakeword.sound import RATE, Samples, encode_flac, read_sound
from wakeword.span import word_span

BESIDE = RATE // 2
"""Samples kept before and after a line that is cut out of a recording."""


def recordings_of(where: Path) -> list[Recording]:
    """Every device of a run, or every clip of an evaluation. Raises LabError and SimError."""
    if (where / "run.json").is_file():
        runs, _ = read_runs(where)
        lines = lines_of(runs)
        return [_recording(run, lines) for run in runs]
    return [_evaluated(clip) for clip in _clips(where)]


def is_run(where: Path) -> bool:
    """Whether it is the directory of a run."""
    return (where / "run.json").is_file()


def _recording(run: Run, lines: tuple[Spoken, ...]) -> Recording:
    tiers = []
    for who in dict.fromkeys(line.who for line in lines):
        own = [line for line in lines if line.who == who]
        tiers.append(Tier(who, tuple(Mark(line.begin, line.end, line.text) for line in own), speaker=True))
        words = tuple(Mark(word.begin, word.end, word.text) for line in own for word in line.words)
        if words:
            tiers.append(Tier(f"{who}: words", words))
    prompts = [Mark(at, at + facts["samples"], facts["text"]) for at, facts in run.of("prompt")]
    if prompts:
        tiers.append(Tier(run.name, tuple(prompts), speaker=True))
    tiers += [Tier("wake", _wakes(run)), Tier("near miss", _near_misses(run)), Tier("capture", _captures(run))]
    last = max([run.last, *(line.end for line in lines)], default=0)
    return Recording(run.name, last, tuple(tier for tier in tiers if tier.marks))


def _wakes(run: Run) -> tuple[Mark, ...]:
    found = []
    for at, facts in run.of("wake"):
        begin, end = word_span(facts["word"], at)
        found.append(Mark(max(0, begin), max(0, end), f"{facts['word']} {facts['score']:.2f}"))
    return tuple(found)


def _near_misses(run: Run) -> tuple[Mark, ...]:
    return tuple(Mark(f["peak"], f["peak"], f"{f['word']} {f['score']:.2f}") for _, f in run.of("near_miss"))


def _captures(run: Run) -> tuple[Mark, ...]:
    heard = {facts["clip"]: facts["text"] for _, facts in run.of("transcript")}
    return tuple(Mark(f["begin"], f["end"], heard.get(f["clip"], "")) for _, f in run.of("capture_end"))


def _clips(where: Path) -> list[Mapping[str, Any]]:
    clips = read_results(where).get("clips")
    if not isinstance(clips, list):
        raise LabError(f"{where} has no clips to label; give a run, or what lab evaluate or compare left")
    return clips


def _evaluated(clip: Mapping[str, Any]) -> Recording:
    tiers = [Tier("word", tuple(Mark(begin, end, "wake word") for begin, end in _spans(clip)))]
    for heard in clip["heard"]:
        name = heard["engine"] if heard["condition"] == "as it is" else f"{heard['engine']}, {heard['condition']}"
        answered = [Mark(round(at * RATE), round(at * RATE), "answers") for at in heard["answered_s"]]
        false = [Mark(round(at * RATE), round(at * RATE), "false wake") for at in heard["false_s"]]
        tiers.append(Tier(name, tuple(sorted([*answered, *false], key=lambda mark: mark.begin))))
    return Recording(clip["name"], round(clip["seconds"] * RATE), tuple(tier for tier in tiers if tier.marks))


def _spans(clip: Mapping[str, Any]) -> tuple[Span, ...]:
    return tuple((round(begin * RATE), round(end * RATE)) for begin, end in clip["words_s"] or ())


@dataclass(frozen=True)
class Piece:
    """A sound of an AudioFolder, with its row."""

    name: str
    samples: Samples
    positive: bool
    words: tuple[Span, ...]
    facts: Mapping[str, Any]


def pieces_of(where: Path, word: str) -> Iterator[Piece]:
    """Each line of a run as the microphone heard it, or each clip of an evaluation.

    Raises LabError where a sound was not kept, or is not what was evaluated.
    """
    if is_run(where):
        for run in read_runs(where)[0]:
            yield from _lines(run, word)
        return
    for number, clip in enumerate(_clips(where)):
        path = Path(clip["name"])
        if not path.is_file():
            raise LabError(f"{clip['name']} is no file that is there; only sets of recordings can be written out")
        samples = _read(path)
        if hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest() != clip["sha256"]:
            raise LabError(f"{path} is not what was evaluated; evaluate it again")
        woke = sum(len(heard["answered_s"]) + len(heard["false_s"]) for heard in clip["heard"])
        facts = {"voice": clip["voice"], "text": "", "woke": bool(woke)}
        yield Piece(f"{number:05}-{path.stem}", samples, clip["words_s"] != [], _spans(clip), facts)


def _lines(run: Run, word: str) -> Iterator[Piece]:
    home = run.folder / "home.flac"
    if not home.is_file():
        raise LabError(f"{home} is not there, so nothing can be cut out; run it again, a device with --keep-audio")
    sound, spoken = _read(home), word.replace("_", " ").split()
    wakes = [at for at, _ in run.of("wake")]
    for number, line in enumerate(lines_of([run])):
        begin, end = max(0, line.begin - BESIDE), min(len(sound), line.end + BESIDE)
        if end <= begin:
            continue
        plain = ["".join(c for c in each.text.lower() if c.isalnum()) for each in line.words]
        at = [k for k in range(len(plain)) if plain[k : k + len(spoken)] == spoken]
        last = len(spoken) - 1
        words = tuple((line.words[k].begin - begin, min(line.words[k + last].end, end) - begin) for k in at)
        woke = any(line.begin <= at <= line.end + LATE for at in wakes)
        facts = {"voice": line.who, "text": line.text, "woke": woke}
        yield Piece(f"{run.name}-{number:05}", sound[begin:end], bool(words), words, facts)


def _read(path: Path) -> Samples:
    try:
        return read_sound(path)
    except SoundError as error:
        raise LabError(str(error)) from None


def write_audio_folder(where: Path, word: str, out: Path) -> int:
    """Write `positives` and `negatives`, each an AudioFolder that `misheard lab evaluate` reads; gives how many sounds.

    Raises LabError where one cannot be read or the disk does not take it.
    """
    rows: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    names = set()
    for piece in pieces_of(where, word):
        folder = out / ("positives" if piece.positive else "negatives")
        name = f"{piece.name}.flac"
        names.add(name)
        try:
            folder.mkdir(exist_ok=True)
            (folder / name).write_bytes(encode_flac(piece.samples))
        except OSError as error:
            raise LabError(f"{folder / name} cannot be written ({error.strerror}); make room there") from None
        for begin, end in piece.words or ((None, None),):
            span = {"word_begin_s": _seconds(begin), "word_end_s": _seconds(end)}
            rows[piece.positive].append({"file_name": name, **span, **piece.facts})
    for positive, name in ((True, "positives"), (False, "negatives")):
        if rows[positive]:
            write_rows(out / name / "metadata.csv", rows[positive])
    return len(names)


def _seconds(sample: int | None) -> float | None:
    return None if sample is None else sample / RATE
