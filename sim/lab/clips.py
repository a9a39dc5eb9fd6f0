"""A clip of a test set: where its sound is, where in it the wake word is, and what is left out and why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.errors import LabError
from sim.lab.matching import LATE, Span, validate
from wakeword.errors import SoundError
from wakeword.frames import whole_hops
from wakeword.sound import RATE, Samples, read_sound
from wakeword.vad import VoiceActivity

SPEECH = 0.5
"""Silero's output from which on a hop counts as speech."""


@dataclass(frozen=True)
class Clip:
    """One piece of sound. `name` is unique; `voice` is who speaks, as far as that is known.

    `words`: the spans of the wake word, in samples; empty where it is not said, None where it is said once and nobody
    has written down where. `read` gives int16[n] at 16 kHz; `where` names file and line in sentences about it.
    """

    name: str
    read: Callable[[], Samples]
    words: tuple[Span, ...] | None
    voice: str = ""
    text: str = ""
    where: str = ""
    read_out: bool = False

    @property
    def positive(self) -> bool:
        """Whether the wake word is said in it."""
        return self.words is None or bool(self.words)


@dataclass(frozen=True)
class LeftOut:
    """A clip that does not count, and why."""

    clip: str
    why: str


@dataclass(frozen=True)
class Loaded:
    """A clip with its sound; `sha256` is of the samples, int16 little-endian."""

    clip: Clip
    samples: Samples
    sha256: str

    @property
    def words(self) -> int:
        """How many times the wake word is said."""
        return 1 if self.clip.words is None else len(self.clip.words)

    @property
    def silent_hours(self) -> float:
        """Hours in which a wake is a false one: none where the word may be anywhere."""
        if self.clip.words is None:
            return 0.0
        due = sum(min(end + LATE, len(self.samples)) - begin for begin, end in self.clip.words)
        return max(0, len(self.samples) - due) / RATE / 3600


def recorded(path: Path, name: str, words: tuple[Span, ...] | None, voice: str = "", text: str = "") -> Clip:
    """A clip that is a sound file."""
    return Clip(name, lambda: read_sound(path), words, voice, text, str(path))


def load(clips: Sequence[Clip]) -> Iterator[Loaded | LeftOut]:
    """Read clips one by one, and leave out what would be counted wrongly: broken, double, or a word without speech.

    Raises LabError for labels outside the sound, or the same sound with and without the word: those are mistakes of
    who made the set, and no count of it would be right.
    """
    seen: dict[str, Clip] = {}
    names: set[str] = set()
    voice = VoiceActivity()
    for clip in clips:
        if clip.name in names:
            raise LabError(f"{clip.where or clip.name}: {clip.name} is in the set twice; name it once")
        names.add(clip.name)
        try:
            samples = clip.read()
        except SoundError as error:
            yield LeftOut(clip.name, str(error))
            continue
        _check_labels(clip, len(samples))
        digest = hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest()
        twin = seen.get(digest)
        if twin is not None and twin.positive != clip.positive:
            raise LabError(
                f"{clip.name} is the same sound as {twin.name}, once with the wake word and once without; keep one"
            )
        if twin is not None:
            yield LeftOut(clip.name, f"the same sound as {twin.name}")
            continue
        seen[digest] = clip
        if clip.positive and not _speaks(voice, samples):
            yield LeftOut(clip.name, "a wake word is said to be in it, and it holds no speech")
            continue
        yield Loaded(clip, samples, digest)


def _check_labels(clip: Clip, n: int) -> None:
    words = clip.words or ()
    where = clip.where or clip.name
    try:
        validate(words, ())
    except ValueError as error:
        raise LabError(f"{where}: the labels of {clip.name} cannot be: {error}") from None
    for begin, end in words:
        if end > n:
            label = f"{begin / RATE:.2f} to {end / RATE:.2f} s"
            raise LabError(f"{where}: the label {label} lies outside {clip.name}, which is {n / RATE:.2f} s long")


def _speaks(voice: VoiceActivity, samples: Samples) -> bool:
    """Whether any hop of it holds speech; the detector is given a moment of silence to settle."""
    voice.reset()
    padded = np.concatenate([np.zeros(RATE // 4, np.int16), samples, np.zeros(RATE // 4, np.int16)])
    return bool(np.any(voice.push(whole_hops(padded)) >= SPEECH))
