"""The study's files as they are: activations by device and episode, replays, and the material's hours and words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sim.errors import LabError

PASSES = ("1a", "1b", "2a", "2b")

FILES = {
    ("us", "camera"): ("misactivations-by-camera-us", "results-camera-final{}-filtered.txt"),
    ("uk", "camera"): ("misactivations-by-camera-uk", "results-uk-final{}-filtered.txt"),
    ("us", "cloud"): ("misactivations-by-cloud-us", "results-cloud-final{}-filtered.txt"),
}
"""By testbed and how they were seen; only cameras saw how long the light was on."""

REPLAYS = ("misactivations-by-camera-us", "results-camera-finalr.txt")

STRAY = "test"
"""A row of the word counts that is of no episode."""

_HEADER = re.compile(r"(?P<path>.*)/capture\.mkv:")
_LINE = re.compile(r"(?P<device>[\w-]+):\((?P<begin>-?\d+),\s*(?P<end>-?\d+)\)")
_REPLAY = re.compile(
    r"(?P<episode>.+)_(?P<device>[a-z0-9-]+)_(?P<begin>\d+)_(?P<end>\d+)_(?P=device)_camera(?P<group>[12]?)-(?P<pass>\d+)"
)


@dataclass(frozen=True)
class Activation:
    """A device's light was on from `begin_s` to `end_s`, whole seconds of the episode."""

    episode: str
    device: str
    begin_s: int
    end_s: int


@dataclass(frozen=True)
class Replay:
    """One of ten replays of a stretch in which a device had woken from `begin_s` to `end_s` of the episode.

    `group`: under which wake words the Echos listened, 1 or 2, 0 for other speakers. `woke`: whether it did again.
    """

    episode: str
    device: str
    begin_s: int
    end_s: int
    group: int
    number: int
    woke: bool


@dataclass(frozen=True)
class Study:
    """`seconds` and `words` are by episode, `activations` by testbed, way and pass."""

    seconds: Mapping[str, float]
    words: Mapping[str, int]
    activations: Mapping[tuple[str, str, str], tuple[Activation, ...]]
    replays: tuple[Replay, ...]


BEFORE_S = 20
"""A replay begins so long before the activation it is of, or where the episode begins."""

AROUND_S = 10
"""Lights of a replay that come on so far from that activation are of something else."""


def read_study(folder: Path) -> Study:
    """Read a copy of the data: the folder that holds `data/`, or that one. Raises LabError."""
    root = folder / "data" if (folder / "data").is_dir() else folder
    if not (root / "misactivations").is_dir() or not (root / "source-material").is_dir():
        named = "misactivations and source-material"
        raise LabError(f"{folder} holds no PETS 2020 data ({named}); its authors give it as smart-speakers-study")
    material = root / "source-material"
    seconds = {episode: float(value) for value, episode in _column(material / "duration-by-episode.txt")}
    words = {episode: int(value) for value, episode in _column(material / "wordcount-by-episode.txt")}
    words.pop(STRAY, None)
    if seconds.keys() != words.keys():
        odd = min(seconds.keys() ^ words.keys())
        raise LabError(f"{material}: {odd} has a duration or a word count and not both; take the data anew")
    found = {
        (testbed, way, number): tuple(_activations(root / "misactivations" / sub / name.format(number), seconds))
        for (testbed, way), (sub, name) in FILES.items()
        for number in PASSES
    }
    return Study(seconds, words, found, tuple(_replays(root.joinpath("misactivations", *REPLAYS))))


def show_of(episode: str) -> str:
    """``[S3.Ep14] Riverdale - Chapter Forty-Nine`` -> ``Riverdale``."""
    return episode.partition("] ")[2].partition(" - ")[0]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "damaged"
        raise LabError(f"{path} cannot be read ({why}); take the data anew") from None


def _column(path: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(_lines(path), 1):
        value, _, episode = line.strip().partition(" ")
        if not episode or not re.fullmatch(r"\d+(\.\d+)?", value):
            raise LabError(f"{path}, line {number}: {line!r} is no number and episode; take the data anew")
        yield value, episode


def _blocks(path: Path) -> Iterator[tuple[int, str, list[tuple[str, int, int]]]]:
    """Line, name (the second-to-last field of the path) and activations of each capture."""
    block: tuple[int, str, list[tuple[str, int, int]]] | None = None
    for number, line in enumerate(_lines(path), 1):
        if header := _HEADER.match(line):
            if block is not None:
                yield block
            block = (number, header["path"].rpartition("/")[2], [])
        elif found := _LINE.fullmatch(line.strip()):
            if block is None:
                raise LabError(f"{path}, line {number}: an activation before any episode; take the data anew")
            block[2].append((found["device"], int(found["begin"]), int(found["end"])))
        elif line.strip():
            raise LabError(f"{path}, line {number}: {line.strip()!r} is no activation; take the data anew")
    if block is not None:
        yield block


def _activations(path: Path, seconds: Mapping[str, float]) -> Iterator[Activation]:
    for number, episode, found in _blocks(path):
        if episode not in seconds:
            raise LabError(f"{path}, line {number}: {episode} is none of the material; take the data anew")
        for device, begin, end in found:
            if begin >= 0:  # one cloud record has no time
                yield Activation(episode, device, begin, end)


def _replays(path: Path) -> Iterator[Replay]:
    for number, name, found in _blocks(path):
        about = _REPLAY.fullmatch(name)
        if about is None:
            raise LabError(f"{path}, line {number}: {name} is no replay; take the data anew")
        due = min(BEFORE_S, int(about["begin"]))
        woke = any(device == about["device"] and abs(begin - due) <= AROUND_S for device, begin, _ in found)
        group = int(about["group"] or 0)
        place = (about["episode"], about["device"], int(about["begin"]), int(about["end"]))
        yield Replay(*place, group, int(about["pass"]), woke)
