"""flite: small, deterministic, and the one voice here that tells where its phones are."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sim.errors import VoiceError
from sim.speech.programs import run, written
from sim.speech.words import Phone, Word, by_phones
from wakeword.sound import RATE, Samples

INSTALL = "apt-get install flite"


def must_speak(name: str) -> None:
    """Raise VoiceError where flite is not here or has no such voice; it would take another one and not say so."""
    known = _voices(_program())
    if name not in known:
        raise VoiceError(f"flite has no voice called {name!r}; it has: {', '.join(known)}")


def speak(name: str, text: str) -> tuple[Samples, Callable[[], tuple[Word, ...]]]:
    """``text`` as flite gives it, and what finds its words, for which flite has to say each of them alone."""
    must_speak(name)
    with tempfile.TemporaryDirectory(prefix="misheard-voice-") as folder:
        wav = Path(folder) / "line.wav"
        told = run([_program(), "-voice", name, "-t", text, "-psdur", "-o", str(wav)], f"flite:{name}")
        samples = written(wav, f"flite:{name}", text)
    return samples, lambda: by_phones(text, _phones(told), lambda word: _alone(_program(), name, word))


def renderer() -> str:
    """Program and version."""
    told = run([_program(), "--version"], "flite", accept=(0, 1))  # it says its version and exits with 1
    found = re.search(r"flite-\S+(?: \w+ \d+)?", told)
    return found.group() if found else "flite-?"


def _phones(told: str) -> list[Phone]:
    """From ``name:end`` in seconds, each phone from where the one before it ended."""
    ends = [(name, round(float(end) * RATE)) for name, _, end in (one.partition(":") for one in told.split())]
    begins = [0, *(end for _, end in ends)]
    return [(name, begin, end) for (name, end), begin in zip(ends, begins, strict=False)]


@cache
def _alone(program: str, name: str, word: str) -> tuple[str, ...]:
    """Its phones when it is all that is said."""
    return tuple(run([program, "-voice", name, "-t", word, "-ps", "-o", "none"], f"flite:{name}").split())


def _program() -> str:
    path = shutil.which("flite")
    if path is None:
        raise VoiceError(f"the voice engine flite is not installed; install it with: {INSTALL}")
    return path


@cache
def _voices(program: str) -> tuple[str, ...]:
    return tuple(sorted(run([program, "-lv"], "flite").partition(":")[2].split()))
