"""What the far end hears with: a recognizer takes a clip and gives the words in it, each with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.cloud.models import registry
from sim.cloud.transcript import Transcript, Word
from sim.errors import RecognizerError

__all__ = ["Recognizer", "Transcript", "Word", "load_recognizer"]


class Recognizer(Protocol):
    """Turns clips into words; one clip at a time, not thread-safe."""

    @property
    def name(self) -> str:
        """The name that `load_recognizer` knows it by."""

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        """What is said in int16[n] at 16 kHz; the same samples give the same words whatever was heard before.

        Too short a clip gives an empty transcript.
        """


def load_recognizer(name: str = "auto", model: Path | None = None) -> Recognizer:
    """Load a recognizer: ``vosk``, ``pocketsphinx``, or ``auto``: vosk where a model from elsewhere is found.

    A model trained here knows few words: it is for who asks for it by name.
    ``model`` is the folder of a Vosk model; without it the preferred one of `registry.installed` is taken. Nothing is
    ever downloaded. Raises RecognizerError, whose sentence names the command that mends it.
    """
    kind = _choose(name, model)
    if kind == "pocketsphinx":
        from sim.cloud.sphinx_recognizer import SphinxRecognizer

        return SphinxRecognizer()
    from sim.cloud.vosk_recognizer import VoskRecognizer

    return VoskRecognizer(registry.find(model))


def _choose(name: str, model: Path | None) -> Literal["vosk", "pocketsphinx"]:
    if name == "pocketsphinx" and model is not None:
        raise RecognizerError(f"pocketsphinx carries its own model and cannot use {model}; choose vosk or leave it out")
    if name == "auto":
        return "vosk" if model is not None or registry.general() else "pocketsphinx"
    if name == "vosk":
        return "vosk"
    if name == "pocketsphinx":
        return "pocketsphinx"
    raise RecognizerError(f"there is no recognizer {name!r}; choose auto, vosk or pocketsphinx")
