"""The study's protocol on one's own media: films with their subtitles, twelve passes, devices of ours.

A pass differs from another as it would in a room: the sound lies elsewhere in the hops of 80 ms, is a little louder or
softer, and other noise is about it. All of that is of the seed, the medium and the number of the pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device.config import WakeSettings
from device.ear import trigger_settings
from sim.errors import LabError
from sim.home.levels import Sound, amplitude
from sim.home.noise import PinkNoise
from sim.lab.clips import SPEECH
from sim.lab.conditions import Place, Reverberation, response_of
from sim.lab.loudness import SpeechPower
from sim.lab.pets.counts import MERGE_S
from sim.lab.pets.repeat import Repeated
from sim.lab.subtitles import ENDINGS, Cue, Fit, fit, read_subtitles, said_between
from sim.lab.tally import Engine, hops_of
from sim.lab.wakes import wakes
from wakeword.features import TILE
from wakeword.frames import HOP, whole_hops
from wakeword.sound import RATE, Samples, stream_sound
from wakeword.vad import VoiceActivity

PASSES = 12
CANDIDATES = 2
"""Passes of which the study took its rates, and the candidates for ten replays."""

SNR_DB = 30.0
"""Pink noise so far below the speech, where no other is asked for: a quiet living room."""

LOUDER_DB = 3.0
"""Passes are so much louder or softer at most."""

CONTEXT_S = (3, 1)
"""Subtitles so long before and after a wake are given with it."""

AROUND_S = 5
"""A wake so close to a subtitle with the wake word answers it, and is no false one."""


@dataclass(frozen=True)
class Medium:
    """A sound with its subtitles. `power` is of its active speech; `fit` says how the subtitles lie."""

    path: Path
    cues: tuple[Cue, ...]
    samples: int
    power: float
    fit: Fit

    @property
    def hours(self) -> float:
        """How long it is."""
        return self.samples / RATE / 3600

    @property
    def words(self) -> int:
        """Words of its subtitles."""
        return sum(len(cue.words) for cue in self.cues)


@dataclass(frozen=True)
class FilmWake:
    """A stretch of a medium at which one engine woke, and in how many passes.

    `early`: also in one of the first `CANDIDATES` passes, which in the study made it a candidate for replays; `said`:
    the wake word is in the subtitles there.
    """

    medium: str
    engine: str
    repeated: Repeated
    context: str
    early: bool
    said: bool


def find_media(folder: Path) -> list[tuple[Path, Path]]:
    """Each sound of a folder that has subtitles of the same name beside it. Raises LabError."""
    if not folder.is_dir():
        raise LabError(f"{folder} is no folder that is there; name one with sound and its subtitles")
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in ENDINGS:
            sounds = [
                each for each in sorted(folder.glob("*")) if each.stem == path.stem and each.suffix not in ENDINGS
            ]
            if not sounds:
                raise LabError(f"{path} has no sound of the same name beside it; extract it from the film as FLAC")
            found.append((sounds[0], path))
    if not found:
        raise LabError(f"{folder} holds no subtitles ({', '.join(ENDINGS)}); put them beside the sound, by its name")
    return found


def open_medium(sound: Path, subtitles: Path) -> Medium:
    """Read it once: how long and how loud it is, and where it holds speech. Raises LabError and SoundError."""
    cues = read_subtitles(subtitles)
    voice, power, speech, rest, n = VoiceActivity(), SpeechPower(), [], np.zeros(0, np.int16), 0
    for chunk in stream_sound(sound, 10 * RATE):
        n += len(chunk)
        power.push(chunk)
        whole = np.concatenate([rest, chunk])
        hops = whole_hops(whole)
        rest = whole[len(hops) :]
        speech.append(voice.push(hops) >= SPEECH)
    late = [cue for cue in cues if cue.begin >= n]
    if late:
        where = f"{late[0].begin / RATE:.0f} s, and {sound} ends at {n / RATE:.0f} s"
        raise LabError(f"{subtitles}: {late[0].text!r} is at {where}; give the subtitles of this very sound")
    return Medium(sound, tuple(cues), n, power.value(), fit(cues, np.concatenate(speech), HOP))


def listen(
    medium: Medium,
    engines: Sequence[Engine],
    settings: WakeSettings,
    passes: int = PASSES,
    snr_db: float = SNR_DB,
    seed: int = 0,
    heard_s: Callable[[float], None] = lambda _s: None,
    place: Place | None = None,
) -> dict[str, list[list[int]]]:
    """Where each engine wakes in each pass, in samples of the medium; in a place or, without one, as it is.

    The sound is read once a pass, chunk by chunk, and once more for a place, in which speech is as loud as without.
    """
    response = None if place is None else response_of(partial(_chunks, medium), medium.power, place)
    found: dict[str, list[list[int]]] = {engine.label: [] for engine in engines}
    for number in range(passes):
        random = np.random.default_rng([seed, _key(medium), number])
        offset, louder_db = int(random.integers(0, HOP)), float(random.uniform(-LOUDER_DB, LOUDER_DB))
        noise = PinkNoise(seed, _key(medium), number)
        level = np.sqrt(medium.power) * amplitude(-snr_db)
        streams = {engine.label: engine.group.fresh() for engine in engines}
        scores: dict[str, list[NDArray[np.float32]]] = {engine.label: [] for engine in engines}
        for hops in hops_of(_pass(medium, response, offset, amplitude(louder_db), noise, level)):
            for label, stream in streams.items():
                scores[label].append(stream.push(hops)[:, 0])
            heard_s(len(hops) / RATE)
        for engine in engines:
            at = wakes(np.concatenate(scores[engine.label]), trigger_settings(settings, engine.threshold))
            found[engine.label].append([max(0, sample - offset) for sample in at])
    return found


def _key(medium: Medium) -> int:
    """Its length and loudness stand for it, so that its name makes no difference."""
    return medium.samples * 31 + round(medium.power)


def _chunks(medium: Medium) -> Iterator[Samples]:
    return stream_sound(medium.path, TILE * HOP)


def _pass(
    medium: Medium, response: Sound | None, offset: int, gain: float, noise: PinkNoise, level: float
) -> Iterator[Samples]:
    """The sound of one pass in chunks: `offset` samples of noise alone, and then the medium under it."""
    at, room = 0, None if response is None else Reverberation(response)
    before = [np.zeros(offset, np.int16)] if offset else []
    for chunk in chain(before, _chunks(medium)):
        dry: Sound = chunk.astype(np.float32)
        wet = dry if room is None else room.hear(dry)
        sound = wet * np.float32(gain) + noise.between(at, at + len(chunk)) * np.float32(level)
        at += len(chunk)
        yield np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def film_wakes(medium: Medium, found: dict[str, list[list[int]]], word: str) -> list[FilmWake]:
    """Wakes of all passes, those within the study's 5 s as one, each with its passes and what the subtitles say."""
    spoken = word.replace("_", " ")
    rows = []
    for engine, passes in found.items():
        for at, numbers in _together(passes):
            context = said_between(medium.cues, at - CONTEXT_S[0] * RATE, at + CONTEXT_S[1] * RATE)
            around = said_between(medium.cues, at - AROUND_S * RATE, at + AROUND_S * RATE)
            plain = " ".join("".join(c for c in token.lower() if c.isalnum()) for token in around.split())
            repeated = Repeated(medium.path.stem, round(at / RATE, 2), len(numbers), len(passes))
            early = min(numbers) < CANDIDATES
            rows.append(FilmWake(medium.path.stem, engine, repeated, context, early, spoken in plain))
    return rows


def _together(passes: Sequence[Sequence[int]]) -> Iterator[tuple[int, set[int]]]:
    """The first sample of each stretch, and the numbers of the passes that woke in it."""
    every = sorted((at, number) for number, found in enumerate(passes) for at in found)
    begin, last, numbers = 0, 0, set[int]()
    for at, number in every:
        if numbers and at - last > MERGE_S * RATE:
            yield begin, numbers
            numbers = set()
        if not numbers:
            begin = at
        numbers.add(number)
        last = at
    if numbers:
        yield begin, numbers
