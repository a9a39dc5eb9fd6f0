"""What a television or a radio plays: lines, or a sound file read as it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.home.levels import Sound, active_power, amplitude, at_level, frame_powers
from sim.scenario import Medium
from sim.scenario.timing import MS
from wakeword.sound import RATE, Samples, stream_sound

CHUNK = 2 * RATE
"""So much of a file is held at a time."""

FADE = RATE // 100
"""What is turned off fades out over 10 ms."""


@dataclass(frozen=True)
class Aired:
    """A stretch of what a medium plays; ``text`` is empty for a file, of which nobody knows the words."""

    begin: int
    sound: Sound
    text: str = ""


def aired(medium: Medium, speech: Mapping[tuple[str, str], Samples], folder: Path) -> Iterator[Aired]:
    """All that it plays, in order of time; raises SoundError where a file breaks off."""
    last = None if medium.end_ms is None else medium.end_ms * MS
    for piece in _lines(medium, speech) if medium.file is None else _file(medium, folder / medium.file):
        if last is None or piece.begin + len(piece.sound) <= last:
            yield piece
            continue
        if piece.begin < last:
            kept = piece.sound[: last - piece.begin].copy()
            n = min(FADE, len(kept))
            kept[len(kept) - n :] *= np.linspace(1, 0, n, dtype=np.float32)
            yield Aired(piece.begin, kept, piece.text)
        return


def _lines(medium: Medium, speech: Mapping[tuple[str, str], Samples]) -> Iterator[Aired]:
    at = medium.begin_ms * MS
    for line in medium.lines:
        sound = at_level(speech[str(medium.voice), line.say], medium.level_db_spl)
        at += line.gap_ms * MS
        yield Aired(at, sound, line.say)
        at += len(sound)


def _file(medium: Medium, path: Path) -> Iterator[Aired]:
    """Read twice: how loud it is shows only at its end."""
    power = active_power(np.concatenate([frame_powers(chunk) for chunk in stream_sound(path, CHUNK)]))
    gain = np.float32(amplitude(medium.level_db_spl) / np.sqrt(power) if power else 0.0)
    at = medium.begin_ms * MS
    for chunk in stream_sound(path, CHUNK):
        yield Aired(at, chunk.astype(np.float32) * gain)
        at += len(chunk)
