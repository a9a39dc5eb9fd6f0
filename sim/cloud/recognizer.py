"""What the far end hears with: a recognizer takes a clip as it comes and gives the words in it, each with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.cloud.ears import Deaf, Ears, Engine
from sim.cloud.models import registry
from sim.cloud.settings import EarSettings
from sim.cloud.transcript import Transcript, Word
from sim.errors import RecognizerError

__all__ = ["Listening", "Recognizer", "Transcript", "Word", "load_recognizer"]

NAMES = ("auto", "vosk", "pocketsphinx", "none")


class Listening(Protocol):
    """One clip that is being listened to. The same samples in any cuts give the same transcript."""

    def push(self, samples: NDArray[np.int16]) -> None:
        """Take the next samples of the clip, int16[n] at 16 kHz; raises RecognizerError."""

    def finish(self) -> Transcript:
        """Say what was heard; the clip is over, and nothing else may follow. Raises RecognizerError."""

    def close(self) -> None:
        """Give up a clip that will not be finished; after `finish`, or again, it does nothing."""


class Recognizer(Protocol):
    """Turns clips into words; several may be open at once, none knows of another. Not thread-safe."""

    @property
    def name(self) -> str:
        """The name that `load_recognizer` knows it by."""

    def listen(self) -> Listening:
        """Begin a clip; the state of the decoder is a new one."""

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        """What is said in int16[n]: `listen`, `push` and `finish` in one."""


def load_recognizer(name: str = "auto", model: Path | None = None, ears: EarSettings | None = None) -> Recognizer:
    """Load a recognizer: ``vosk``, ``pocketsphinx``, ``none``, which hears nothing, or ``auto``.

    ``auto`` is vosk where a model from elsewhere is found, else pocketsphinx; a model trained here knows few words: it
    is for who asks for it by name. ``model`` is the folder of a Vosk model; without it the preferred one of
    `registry.installed` is taken. Nothing is ever downloaded. ``ears`` says what counts as words; its own name of a
    recognizer is not looked at. Raises RecognizerError, whose sentence names the command that mends it.
    """
    ears = ears or EarSettings()
    if name not in NAMES:
        raise RecognizerError(f"there is no recognizer {name!r}; choose {', '.join(NAMES[:-1])} or {NAMES[-1]}")
    if name in ("pocketsphinx", "none") and model is not None:
        what = "hears nothing" if name == "none" else "carries its own model"
        raise RecognizerError(f"{name} {what} and cannot use {model}; choose vosk or leave it out")
    if name == "none":
        return Deaf()
    if name == "auto":
        name = "vosk" if model is not None or registry.general() else "pocketsphinx"
    return Ears(_pocketsphinx(ears) if name == "pocketsphinx" else _vosk(model, ears), ears)


def _pocketsphinx(ears: EarSettings) -> Engine:
    from sim.cloud.sphinx_recognizer import SphinxEngine

    return SphinxEngine(ears.alternatives)


def _vosk(model: Path | None, ears: EarSettings) -> Engine:
    from sim.cloud.vosk_recognizer import VoskEngine

    return VoskEngine(registry.find(model), ears.alternatives)
