"""Speech whose phones are known: flite tells each phone and its end while it reads a line aloud."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sim.errors import VoiceError
from wakeword.sound import RATE, Samples, read_sound

PITCH_HZ = {"kal": 105, "slt": 170, "rms": 100, "awb": 120}
"""Voices of flite that differ well, each with a mean pitch that suits it."""

PAUSE = "pau"
"""How flite writes silence."""

_SPEECH = "aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh"

PHONES = (PAUSE, *_SPEECH.split())
"""All phones of flite's English, silence first."""

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Rendering:
    """A line read aloud: int16[n] at 16 kHz and its phones in order, each with the sample at which it ends."""

    samples: Samples
    phones: tuple[tuple[str, int], ...]


def render(text: str, voice: str, stretch: float = 1.0, pitch_hz: float | None = None) -> Rendering:
    """Read ``text`` with a flite voice, ``stretch`` times as slowly; the same arguments give the same samples.

    Raises VoiceError if flite is not installed or does not speak.
    """
    pitch = PITCH_HZ[voice] if pitch_hz is None else pitch_hz
    with tempfile.TemporaryDirectory(prefix="misheard-voice-") as folder:
        wav = Path(folder) / "line.wav"
        settings = ["--setf", f"duration_stretch={stretch:.4f}", "--setf", f"int_f0_target_mean={pitch:.2f}"]
        said = _flite("-voice", voice, *settings, "-t", text, "-psdur", "-o", str(wav))
        samples = read_sound(wav)
    pairs = [token.rsplit(":", 1) for token in said.split()]
    phones = tuple((_known(name), min(len(samples), round(float(end) * RATE))) for name, end in pairs)
    return Rendering(samples, phones)


def phones_of(word: str) -> tuple[str, ...]:
    """How flite pronounces a word that stands alone, without silence. Raises VoiceError as `render` does."""
    said = _flite("-voice", "kal", "-t", word, "-ps", "-o", "none")
    return tuple(_known(name) for name in said.split() if name != PAUSE)


def _known(name: str) -> str:
    if name not in PHONES:
        raise VoiceError(f"flite speaks a phone {name!r} that the trainer does not know; install flite 2.2")
    return name


def _flite(*arguments: str) -> str:
    program = shutil.which("flite")
    if program is None:
        raise VoiceError("training speech is rendered with flite, which is not installed: apt-get install flite")
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VoiceError(f"flite does not speak: {error}; try: flite -t hello") from None
    if done.returncode != 0:
        why = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[0]
        raise VoiceError(f"flite does not speak: {why}; try: flite -t hello")
    return done.stdout
