"""Piper, a neural voice in one ONNX file. The only file that imports it; optional.

Without its noise, so that the same text is the same sound.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import VoiceError
from wakeword.sound import Samples, StreamResampler

INSTALL = "pip install piper-tts"


def must_speak(name: str) -> None:
    """Raise VoiceError where Piper or the voice's files are not here."""
    _piper()
    for path in (Path(name), Path(f"{name}.json")):
        if not path.is_file():
            raise VoiceError(f"there is no Piper voice file {path}; a voice is an .onnx file and its .onnx.json")


def speak(name: str, text: str) -> tuple[Samples, None]:
    """``text`` as the voice gives it; of its words it says nothing."""
    must_speak(name)
    piper = _piper()
    still = piper.SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0)
    try:
        chunks = list(_voice(name).synthesize(text, still))
    except (RuntimeError, ValueError) as error:  # onnxruntime's faults among them
        raise VoiceError(f"the voice piper:{name} does not speak: {' '.join(str(error).split())}") from None
    if not chunks:
        return np.zeros(0, np.int16), None
    whole = np.concatenate([chunk.audio_int16_array for chunk in chunks])
    return StreamResampler(chunks[0].sample_rate).push(whole, last=True), None


def renderer(name: str) -> str:
    """Program, version and the voice file's hash."""
    must_speak(name)
    try:
        found = version("piper-tts")
    except PackageNotFoundError:
        found = "?"
    return f"piper-{found} {hashlib.sha256(Path(name).read_bytes()).hexdigest()[:16]}"


@lru_cache(maxsize=2)
def _voice(name: str) -> Any:
    try:
        return _piper().PiperVoice.load(name)
    except Exception as error:  # noqa: BLE001 - a file that is no voice fails in as many ways as it has parts
        raise VoiceError(f"{name} is no Piper voice: {' '.join(str(error).split())}") from None


def _piper() -> Any:
    try:
        import piper
    except ImportError:
        raise VoiceError(f"the voice engine piper is not installed; install it with: {INSTALL}") from None
    return piper
