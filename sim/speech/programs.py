"""Voices that are programs are run here: one line, one process."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from sim.errors import VoiceError
from wakeword.errors import WakewordError
from wakeword.sound import Samples, read_sound

TIMEOUT_S = 60.0


def run(command: Sequence[str], speaker: str, accept: tuple[int, ...] = (0,)) -> str:
    """Standard output of ``command``; raises VoiceError with the first line of its complaint."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VoiceError(f"the voice {speaker} does not speak: {error}") from None
    if done.returncode not in accept:
        why = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[0]
        raise VoiceError(f"the voice {speaker} does not speak: {why}")
    return done.stdout


def written(wav: Path, speaker: str, text: str) -> Samples:
    """What a program has put into ``wav``, int16[n] at 16 kHz; raises VoiceError."""
    try:
        return read_sound(wav)
    except WakewordError as error:
        raise VoiceError(f"{speaker} gave no sound for {text!r}: {error}") from None
