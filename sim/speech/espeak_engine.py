"""eSpeak NG: the system's program, or the library in the espeakng-loader package, which needs no root.

Each line comes from a fresh process: a second utterance of one process differs from the first.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path

from sim.errors import VoiceError
from sim.speech.programs import run, written
from wakeword.sound import Samples

INSTALL = "apt-get install espeak-ng, or: pip install espeakng-loader"


def must_speak(name: str) -> None:
    """Raise VoiceError where neither is here or it has no such voice, which shows when it is to say something."""
    _tried(tuple(_program()), name)


def speak(name: str, text: str) -> tuple[Samples, None]:
    """``text`` as eSpeak NG gives it; of its words the program says nothing."""
    with tempfile.TemporaryDirectory(prefix="misheard-voice-") as folder:
        wav, line = Path(folder) / "line.wav", Path(folder) / "line.txt"
        line.write_text(text, encoding="utf-8")
        run([*_program(), "-b", "1", "-v", name, "-w", str(wav), "-f", str(line)], f"espeak:{name}")
        return written(wav, f"espeak:{name}", text), None


def renderer() -> str:
    """Program and version."""
    found = re.search(r"text-to-speech: (\S+)", run([*_program(), "--version"], "espeak"))
    return f"espeak-ng-{found.group(1) if found else '?'}"


@cache
def _tried(_program: tuple[str, ...], name: str) -> None:
    speak(name, "a")


def _program() -> list[str]:
    path = shutil.which("espeak-ng")
    if path is not None:
        return [path]
    if importlib.util.find_spec("espeakng_loader") is not None:
        return [sys.executable, "-m", "sim.speech.espeak"]
    raise VoiceError(f"the voice engine espeak is not installed; install it with: {INSTALL}")
