"""Voices that read a line aloud, the same samples each time: flite, eSpeak NG and Piper."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from sim.errors import VoiceError
from sim.speech import espeak_engine, flite_engine, piper_engine
from sim.speech.words import Word
from wakeword.sound import Samples

QUIET = 100
"""Samples of no more than this (-50 dBFS) before and after the speech are not kept."""

MARGIN = 320
"""Samples (20 ms) kept around the speech, so that nothing starts with a click."""

ENGINES = {"flite": flite_engine, "espeak": espeak_engine, "piper": piper_engine}


@dataclass(frozen=True)
class Voice:
    """A voice as scenarios write it: ``flite:slt``, ``espeak:en``, ``piper:voices/joe.onnx``."""

    engine: str
    name: str

    def __str__(self) -> str:
        return f"{self.engine}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Voice:
        """Read ``engine:name``; raises ValueError whose text says what is allowed."""
        engine, _, name = text.partition(":")
        fits = r".+\.onnx" if engine == "piper" else r"[A-Za-z0-9_+-]+"
        if engine not in ENGINES or not re.fullmatch(fits, name):
            engines = ", ".join(ENGINES)
            raise ValueError(f"a voice is engine:name with the engine one of {engines}, such as flite:slt")
        return cls(engine, name)

    def found_from(self, folder: Path) -> Voice:
        """The same voice; if it is a file, as it is found from a scenario's folder."""
        return replace(self, name=str(folder / self.name)) if self.engine == "piper" else self


@dataclass(frozen=True)
class Spoken:
    """A line as a voice reads it: int16[n] at 16 kHz, silence around it cut off."""

    samples: Samples
    words: tuple[Word, ...] | None
    """Where its words are, as far as the voice itself tells."""


def must_speak(voice: Voice) -> None:
    """Raises VoiceError, with the command that installs it, where the engine is not here or has no such voice."""
    ENGINES[voice.engine].must_speak(voice.name)


def speak(voice: Voice, text: str) -> Spoken:
    """``text`` read by ``voice``. Raises VoiceError if the engine or the voice is not installed, or says nothing."""
    samples, words, begin = _said(voice, text)
    return Spoken(samples, None if words is None else _shifted(words(), begin, len(samples)))


def render(voice: Voice, text: str) -> Samples:
    """The samples of `speak`, without a search for the words in them."""
    samples, *_ = _said(voice, text)
    return samples


def _said(voice: Voice, text: str) -> tuple[Samples, Callable[[], tuple[Word, ...]] | None, int]:
    """What the engine gives without the silence around it, what finds its words, and how many samples were before."""
    samples, words = ENGINES[voice.engine].speak(voice.name, text)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > QUIET)
    if not len(loud):
        raise VoiceError(f"{voice} says nothing for {text!r}; write words that can be spoken")
    begin, end = max(0, int(loud[0]) - MARGIN), min(len(samples), int(loud[-1]) + 1 + MARGIN)
    return samples[begin:end], words, begin


@cache
def renderer(voice: Voice) -> str:
    """What renders: program, version and processor, such as ``flite-2.2-current Sep 2018, x86_64``.

    Equal strings promise equal samples. Raises VoiceError if the engine is not installed.
    """
    if voice.engine == "piper":
        return f"{piper_engine.renderer(voice.name)}, {platform.machine()}"
    return f"{(flite_engine if voice.engine == 'flite' else espeak_engine).renderer()}, {platform.machine()}"


def _shifted(words: tuple[Word, ...], begin: int, n: int) -> tuple[Word, ...]:
    """As they are in ``n`` samples from ``begin`` on."""
    return tuple((word, min(max(first - begin, 0), n), min(max(last - begin, 0), n)) for word, first, last in words)
