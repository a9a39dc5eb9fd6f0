"""A recognizer in a process of its own, so that listening goes on while it thinks.

PocketSphinx holds Python's lock for as long as it works, seconds for a clip: beside a microphone's callback in one
process it would cost sound. And a model that brings its library down ends only that process.
"""

from __future__ import annotations

import signal
from multiprocessing import get_context
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

from sim.cloud.recognizer import load_recognizer
from sim.cloud.transcript import Transcript
from sim.errors import RecognizerError

_START_S = 120.0
"""A large model on a slow disk takes its time."""


class RecognizerProcess:
    """`load_recognizer(name)` elsewhere; see `sim.cloud.recognizer.Recognizer`. Raises RecognizerError as that does."""

    def __init__(self, name: str = "auto") -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, name), name="recognizer", daemon=True)
        self._process.start()
        theirs.close()
        self.name = str(self._await(_START_S))

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        """See `Recognizer.transcribe`; raises RecognizerError also where the process has ended."""
        try:
            self._pipe.send(samples)
        except OSError:
            raise self._ended() from None
        answer = self._await(None)
        assert isinstance(answer, Transcript)
        return answer

    def close(self) -> None:
        """End the process; what it is at is not finished."""
        self._pipe.close()
        self._process.terminate()
        self._process.join()

    def _await(self, timeout_s: float | None) -> object:
        try:
            if not self._pipe.poll(timeout_s):
                self.close()
                raise RecognizerError(f"the recognizer has not begun within {timeout_s:g} s; try again, or another")
            answer = self._pipe.recv()
        except (EOFError, OSError):
            raise self._ended() from None
        if isinstance(answer, RecognizerError):
            raise answer
        return answer

    def _ended(self) -> RecognizerError:
        self._process.join(1.0)
        code = self._process.exitcode
        return RecognizerError(f"the recognizer's process has ended (exit code {code}); start again, or try another")


def _serve(pipe: Connection, name: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the device, which ends this in its own time
    try:
        recognizer = load_recognizer(name)
        pipe.send(recognizer.name)
    except RecognizerError as error:
        pipe.send(error)
        return
    while True:
        try:
            samples = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            pipe.send(recognizer.transcribe(samples))
        except RecognizerError as error:
            pipe.send(error)
