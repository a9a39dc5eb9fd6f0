"""A clip of a test set: where its sound is, where in it the wake word is, and what is left out and why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.errors import LabError
from sim.lab.loudness import SpeechPower
from sim.lab.matching import LATE, Span, validate
from wakeword.errors import SoundError
from wakeword.frames import whole_hops
from wakeword.sound import RATE, Samples, stream_sound
from wakeword.vad import VoiceActivity

CHUNK = 30 * RATE
"""Samples read at a time; whole frames of 20 ms."""

SPEECH = 0.5
"""Silero's output from which on a hop counts as speech."""


@dataclass(frozen=True)
class Clip:
    """One piece of sound. `name` is unique; `voice` is who speaks, as far as that is known.

    `words`: the spans of the wake word, in samples; empty where it is not said, None where it is said once and nobody
    has written down where. `chunks` begins to read it, int16 at 16 kHz, piece by piece, so that a day of sound fits;
    `where` names file and line in sentences about it. `read_out`: a voice has read the text, so it is
    certain what is said.
    """

    name: str
    chunks: Callable[[], Iterator[Samples]]
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
    """A clip that was read once: its length, the hash of its samples (int16 little-endian), the power of its speech."""

    clip: Clip
    n_samples: int
    sha256: str
    power: float

    @property
    def words(self) -> int:
        """How many times the wake word is said."""
        return 1 if self.clip.words is None else len(self.clip.words)

    @property
    def silent_hours(self) -> float:
        """Hours in which a wake is a false one: none where the word may be anywhere."""
        if self.clip.words is None:
            return 0.0
        due = sum(min(end + LATE, self.n_samples) - begin for begin, end in self.clip.words)
        return max(0, self.n_samples - due) / RATE / 3600


def recorded(path: Path, name: str, words: tuple[Span, ...] | None, voice: str = "", text: str = "") -> Clip:
    """A clip that is a sound file."""
    return Clip(name, lambda: stream_sound(path, CHUNK), words, voice, text, str(path))


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
            found, speaks = _read(clip, voice)
        except SoundError as error:
            yield LeftOut(clip.name, str(error))
            continue
        _check_labels(clip, found.n_samples)
        digest = found.sha256
        twin = seen.get(digest)
        if twin is not None and twin.positive != clip.positive:
            raise LabError(
                f"{clip.name} is the same sound as {twin.name}, once with the wake word and once without; keep one"
            )
        if twin is not None:
            yield LeftOut(clip.name, f"the same sound as {twin.name}")
            continue
        seen[digest] = clip
        if clip.positive and not speaks:
            yield LeftOut(clip.name, "a wake word is said to be in it, and it holds no speech")
            continue
        yield found


def _read(clip: Clip, voice: VoiceActivity) -> tuple[Loaded, bool]:
    """Read it once, and say whether it holds speech; of a clip without the word that is not asked."""
    digest, power, n, speaks = hashlib.sha256(), SpeechPower(), 0, not clip.positive
    rest = np.zeros(RATE // 4, np.int16)  # the detector is given a moment of silence to settle
    voice.reset()
    for chunk in clip.chunks():
        digest.update(chunk.astype("<i2").tobytes())
        power.push(chunk)
        n += len(chunk)
        if not speaks:
            whole = np.concatenate([rest, chunk])
            hops = whole_hops(whole)
            rest = whole[len(hops) :]
            speaks = _speaks(voice, hops)
    speaks = speaks or _speaks(voice, whole_hops(np.concatenate([rest, np.zeros(RATE // 4, np.int16)])))
    return Loaded(clip, n, digest.hexdigest(), power.value()), speaks


def _speaks(voice: VoiceActivity, hops: Samples) -> bool:
    return bool(np.any(voice.push(hops) >= SPEECH))


def cut_out(clip: Clip, begin: int, end: int) -> Samples:
    """The samples of a clip from one to another, as far as there are such."""
    at, pieces = 0, [np.zeros(0, np.int16)]
    for chunk in clip.chunks():
        pieces.append(chunk[max(0, begin - at) : max(0, end - at)])
        at += len(chunk)
        if at >= end:
            break
    return np.concatenate(pieces)


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
