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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.cloud.ears import Decoded
from sim.cloud.models import trial
from sim.cloud.transcript import Word
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


class VoskEngine:
    """Vosk with the model in ``folder``, tried out first if it is not known to work.

    It decodes as the samples come. One of its decoders gives either confidences or alternatives: where alternatives
    are wanted a second one runs beside the first. Raises RecognizerError if vosk is not installed or does not work
    with the model.
    """

    name = "vosk"

    def __init__(self, folder: Path, alternatives: int = 0) -> None:
        _vosk()
        trial.require(folder)
        self.folder = folder
        self._alternatives = alternatives
        with _translated(folder):
            self._model = _Model(folder, FATAL_ONLY)

    def decode(self) -> _Stretch:
        """See `sim.cloud.ears.Engine`."""
        with _translated(self.folder):
            return _Stretch(self._model, self._alternatives)


class _Stretch:
    """Cuts the samples into chunks of its own, so that nothing depends on how they came."""

    def __init__(self, model: _Model, alternatives: int) -> None:
        self._folder = model.folder
        self._sure = _Decoder(model)
        self._guessing = _Decoder(model, alternatives + 1) if alternatives else None
        self._rest = np.zeros(0, np.int16)
        self._taken = 0

    def push(self, samples: NDArray[np.int16]) -> None:
        self._rest = np.concatenate([self._rest, samples])
        with _translated(self._folder):
            while len(self._rest) >= CHUNK:
                self._take(CHUNK)

    def finish(self) -> Decoded:
        length = self._taken + len(self._rest)
        if length < SHORTEST:
            return Decoded(())
        with _translated(self._folder):
            if len(self._rest):
                self._take(len(self._rest))
            words = tuple(
                Word(
                    word["word"],
                    min(round(word["start"] * RATE), length),
                    min(round(word["end"] * RATE), length),
                    min(1.0, float(word["conf"])),
                )
                for result in self._sure.finish()
                for word in result.get("result", ())
            )
            return Decoded(words, self._others(" ".join(word.text for word in words)))

    def _take(self, size: int) -> None:
        chunk, self._rest = self._rest[:size], self._rest[size:]
        for decoder in filter(None, (self._sure, self._guessing)):
            decoder.push(chunk)
        self._taken += size

    def _others(self, text: str) -> tuple[str, ...]:
        """Each sentence's guesses of one rank; a sentence with fewer keeps its last."""
        results = self._guessing.finish() if self._guessing is not None else []
        guesses = [[one["text"].strip() for one in result.get("alternatives", ())] or [""] for result in results]
        ranks = range(max(map(len, guesses), default=0))
        texts = (" ".join(filter(None, (one[min(rank, len(one) - 1)] for one in guesses))) for rank in ranks)
        return tuple(other for other in dict.fromkeys(texts) if other not in ("", text))


class _Model:
    """A loaded model; whether it works is not asked."""

    def __init__(self, folder: Path, log_level: int) -> None:
        self.folder = folder
        self.vosk = _vosk()
        self.vosk.SetLogLevel(log_level)
        # Never by name or language: vosk would ask the network, or end the program.
        self.loaded = self.vosk.Model(str(folder.resolve()))


class _Decoder:
    """A fresh decoder, which knows no earlier sound: the words with confidences, or the ``guesses`` likeliest texts."""

    def __init__(self, model: _Model, guesses: int = 0) -> None:
        self._decoder = model.vosk.KaldiRecognizer(model.loaded, float(RATE))
        self._decoder.SetWords(not guesses)
        self._decoder.SetMaxAlternatives(guesses)
        self._results: list[dict[str, Any]] = []
        self._chunks = 0

    def push(self, chunk: NDArray[np.int16]) -> None:
        with _RANDOM:
            # Most models have Kaldi add a little noise, drawn from the C library's generator; several may be open.
            self._chunks += 1
            ctypes.CDLL(None).srand(self._chunks)
            if self._decoder.AcceptWaveform(chunk.astype("<i2").tobytes()):
                self._results.append(json.loads(self._decoder.Result()))

    def finish(self) -> list[dict[str, Any]]:
        with _RANDOM:
            ctypes.CDLL(None).srand(0)
            self._results.append(json.loads(self._decoder.FinalResult()))
        return self._results


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
    stretch = _Stretch(_Model(folder, ERRORS), alternatives=2)
    stretch.push(noise)
    stretch.finish()


if __name__ == "__main__":
    _try_out(Path(sys.argv[1]))
