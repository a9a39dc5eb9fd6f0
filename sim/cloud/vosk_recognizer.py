"""Vosk: Kaldi's decoder, libvosk, with a model from disk. The only file that imports vosk.

Run as a program it tries a model out: ``python -m sim.cloud.vosk_recognizer FOLDER`` loads it and decodes with it, in
a process of its own, because libvosk answers some broken models by ending the process.
"""

from __future__ import annotations

import ctypes
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from sim.cloud.models import trial
from sim.cloud.transcript import Transcript, Word
from sim.errors import RecognizerError
from wakeword.sound import RATE

CHUNK = 4000
"""Samples given to the decoder at a time; it looks for the end of a sentence once a chunk."""

SHORTEST = 1600
"""Fewer samples (0.1 s) hold no word, and libvosk is not asked."""

_RANDOM = threading.Lock()
"""Held while the C library's random numbers must be ours."""

FATAL_ONLY, ERRORS = -3, -2
"""Kaldi's levels of logging."""


class VoskRecognizer:
    """Vosk with the model in ``folder``, tried out first if it is not known to work.

    Raises RecognizerError if vosk is not installed or does not work with the model.
    """

    name = "vosk"

    def __init__(self, folder: Path) -> None:
        _vosk()
        trial.require(folder)
        self.folder = folder
        with _translated(folder):
            self._decoder = _Decoder(folder, FATAL_ONLY)

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        """See `Recognizer.transcribe`."""
        with _translated(self.folder):
            return Transcript.of(self._decoder.words(samples), self.name)


class _Decoder:
    """A loaded model; whether it works is not asked."""

    def __init__(self, folder: Path, log_level: int) -> None:
        self._vosk = _vosk()
        self._vosk.SetLogLevel(log_level)
        # Never by name or language: vosk would ask the network, or end the program.
        self._model = self._vosk.Model(str(folder.resolve()))

    def words(self, samples: NDArray[np.int16]) -> tuple[Word, ...]:
        """The words in int16[n]."""
        if len(samples) < SHORTEST:
            return ()
        chunks = (samples[begin : begin + CHUNK] for begin in range(0, len(samples), CHUNK))
        with _RANDOM:
            # Most models have Kaldi add a little noise, drawn from the C library's generator.
            ctypes.CDLL(None).srand(1)
            decoder = self._vosk.KaldiRecognizer(self._model, float(RATE))  # a fresh one knows no earlier clip
            decoder.SetWords(True)
            results = [decoder.Result() for chunk in chunks if decoder.AcceptWaveform(chunk.astype("<i2").tobytes())]
            results.append(decoder.FinalResult())
        heard = [word for result in results for word in json.loads(result).get("result", ())]
        return tuple(
            Word(
                word["word"],
                min(round(word["start"] * RATE), len(samples)),
                min(round(word["end"] * RATE), len(samples)),
                min(1.0, float(word["conf"])),
            )
            for word in heard
        )


def _vosk() -> ModuleType:
    try:
        import vosk
    except (ImportError, OSError) as error:
        raise RecognizerError(
            f"vosk cannot be used ({error}); install it with: pip install vosk, or use pocketsphinx"
        ) from None
    module: ModuleType = vosk
    return module


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # vosk raises nothing narrower
        raise RecognizerError(
            f"vosk fails with the model {folder}: {error}; free some memory, or get another"
        ) from error


def _try_out(folder: Path) -> None:
    """Load a model and let it hear noise that comes and goes; ends the process if the model is broken."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    rng = np.random.default_rng(0)
    loudness = 4000 * np.abs(np.sin(np.linspace(0, 20, 2 * RATE)))
    noise = (rng.standard_normal(2 * RATE) * loudness).clip(-32768, 32767).astype(np.int16)
    _Decoder(folder, ERRORS).words(noise)


if __name__ == "__main__":
    _try_out(Path(sys.argv[1]))
