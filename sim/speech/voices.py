"""Voices that read a line aloud: flite and eSpeak NG, each line from a fresh process.

A fresh process because a second utterance of one eSpeak NG process differs from the first.
"""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from sim.errors import VoiceError
from wakeword.errors import WakewordError
from wakeword.sound import Samples, read_sound

QUIET = 100
"""Samples of no more than this (-50 dBFS) before and after the speech are not kept."""

MARGIN = 320
"""Samples (20 ms) kept around the speech, so that nothing starts with a click."""

INSTALL = {
    "flite": "apt-get install flite",
    "espeak": "apt-get install espeak-ng, or: pip install espeakng-loader",
}
"""Engines, each with the command that installs it."""

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Voice:
    """A voice as scenarios write it: ``flite:slt``, ``espeak:en``."""

    engine: str
    name: str

    def __str__(self) -> str:
        return f"{self.engine}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Voice:
        """Read ``engine:name``; raises ValueError whose text says what is allowed."""
        engine, colon, name = text.partition(":")
        if engine not in INSTALL or not colon or not re.fullmatch(r"[A-Za-z0-9_+-]+", name):
            raise ValueError(f"a voice is engine:name with the engine one of {', '.join(INSTALL)}, such as flite:slt")
        return cls(engine, name)


def must_speak(voice: Voice) -> None:
    """Raises VoiceError, with the command that installs it, where the engine is not here or has no such voice."""
    program = _program(voice.engine)
    if voice.engine == "flite":  # flite itself would take its default voice and not say so
        known = _flite_voices(program[0])
        if voice.name not in known:
            raise VoiceError(f"flite has no voice called {voice.name!r}; it has: {', '.join(known)}")


def render(voice: Voice, text: str) -> Samples:
    """``text`` read by ``voice``: int16[n] at 16 kHz, silence around it cut off, the same samples each time.

    Raises VoiceError if the engine or the voice is not installed, or says nothing.
    """
    program = _program(voice.engine)
    with tempfile.TemporaryDirectory(prefix="misheard-voice-") as folder:
        wav = Path(folder) / "line.wav"
        if voice.engine == "flite":
            must_speak(voice)
            _run([*program, "-voice", voice.name, "-t", text, "-o", str(wav)], str(voice))
        else:
            line = Path(folder) / "line.txt"
            line.write_text(text, encoding="utf-8")
            _run([*program, "-b", "1", "-v", voice.name, "-w", str(wav), "-f", str(line)], str(voice))
        try:
            samples = read_sound(wav)
        except WakewordError as error:
            raise VoiceError(f"{voice} gave no sound for {text!r}: {error}") from None
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > QUIET)
    if not len(loud):
        raise VoiceError(f"{voice} says nothing for {text!r}; write words that can be spoken")
    return samples[max(0, int(loud[0]) - MARGIN) : int(loud[-1]) + 1 + MARGIN]


@cache
def renderer(engine: str) -> str:
    """What renders: program, version and processor, such as ``flite-2.2-current Sep 2018, x86_64``.

    Equal strings promise equal samples. Raises VoiceError if the engine is not installed.
    """
    program = _program(engine)
    text = _run([*program, "--version"], engine, accept=(0, 1))  # flite says its version and exits with 1
    found = re.search(r"(flite-\S+(?: \w+ \d+)?)|text-to-speech: (\S+)", text)
    version = next((group for group in found.groups() if group), "?") if found else "?"
    name = version if engine == "flite" else f"espeak-ng-{version}"
    return f"{name}, {platform.machine()}"


def _program(engine: str) -> list[str]:
    """The command that starts ``engine``."""
    path = shutil.which("flite" if engine == "flite" else "espeak-ng")
    if path is not None:
        return [path]
    if engine == "espeak" and importlib.util.find_spec("espeakng_loader") is not None:
        return [sys.executable, "-m", "sim.speech.espeak"]
    raise VoiceError(f"the voice engine {engine} is not installed; install it with: {INSTALL[engine]}")


@cache
def _flite_voices(program: str) -> tuple[str, ...]:
    return tuple(sorted(_run([program, "-lv"], "flite").partition(":")[2].split()))


def _run(command: Sequence[str], speaker: str, accept: tuple[int, ...] = (0,)) -> str:
    """Standard output of ``command``; raises VoiceError with the first line of its complaint."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VoiceError(f"the voice {speaker} does not speak: {error}") from None
    if done.returncode not in accept:
        why = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[0]
        raise VoiceError(f"the voice {speaker} does not speak: {why}")
    return done.stdout
