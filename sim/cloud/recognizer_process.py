"""A recognizer in a process of its own, so that listening goes on while it thinks.

PocketSphinx holds Python's lock for as long as it works, seconds for a clip: beside a microphone's callback in one
process it would cost sound. And a model that brings its library down ends only that process.
"""

from __future__ import annotations

import signal
import threading
from concurrent.futures import Future
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.cloud.recognizer import Listening, Recognizer, load_recognizer
from sim.cloud.settings import EarSettings
from sim.cloud.transcript import Transcript
from sim.errors import RecognizerError

_START_S = 120.0
"""A large model on a slow disk takes its time."""

_Verb = Literal["listen", "push", "finish", "close"]
_Request = tuple[int, _Verb, NDArray[np.int16] | None]


class RecognizerProcess:
    """`load_recognizer` elsewhere; see `sim.cloud.recognizer.Recognizer`. Raises RecognizerError as that does.

    Thread-safe, and its clips too, each used by one thread at a time. Sound that is pushed waits in memory until the
    process has time for it: pushing never waits.
    """

    def __init__(self, name: str = "auto", ears: EarSettings | None = None) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, name, ears), name="recognizer", daemon=True)
        self._process.start()
        theirs.close()
        self._numbers = count()
        self._lock = threading.Lock()
        self._awaited: dict[int, Future[Transcript]] = {}
        self._over = False
        self._requests: SimpleQueue[_Request | None] = SimpleQueue()
        self.name = self._begin()
        self._threads = [
            threading.Thread(target=work, name=f"recognizer {what}", daemon=True)
            for what, work in (("requests", self._send), ("answers", self._take))
        ]
        for thread in self._threads:
            thread.start()

    def listen(self) -> Listening:
        """See `Recognizer.listen`."""
        return _Clip(self, next(self._numbers))

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        """See `Recognizer.transcribe`; raises RecognizerError also where the process has ended."""
        clip = self.listen()
        clip.push(samples)
        return clip.finish()

    def close(self) -> None:
        """End the process; what it is at is not finished, and who waits for it gets a RecognizerError."""
        self._process.terminate()
        self._process.join()
        self._requests.put(None)
        for thread in self._threads:
            thread.join()
        self._pipe.close()

    def ask(self, request: _Request) -> None:
        """Send a request as soon as the process takes it."""
        self._requests.put(request)

    def answer_to(self, number: int) -> Transcript:
        """Ask for the end of a clip and wait for it; raises RecognizerError."""
        awaited: Future[Transcript] = Future()
        with self._lock:
            if self._over:
                raise self._ended()
            self._awaited[number] = awaited
        self.ask((number, "finish", None))
        return awaited.result()

    def _begin(self) -> str:
        try:
            if not self._pipe.poll(_START_S):
                raise RecognizerError(f"the recognizer has not begun within {_START_S:g} s; try again, or another")
            answer = self._pipe.recv()
        except (EOFError, OSError):
            raise self._ended() from None
        except RecognizerError:
            self._process.terminate()
            raise
        if isinstance(answer, RecognizerError):
            self._process.join()
            raise answer
        return str(answer)

    def _send(self) -> None:
        while (request := self._requests.get()) is not None:
            try:
                self._pipe.send(request)
            except OSError:  # the process has ended, which whoever waits for an answer is told
                return

    def _take(self) -> None:
        while True:
            try:
                number, answer = self._pipe.recv()
            except (EOFError, OSError):
                break
            with self._lock:
                awaited = self._awaited.pop(number)
            _settle(awaited, answer)
        with self._lock:
            self._over = True
            left, self._awaited = self._awaited, {}
        for awaited in left.values():
            _settle(awaited, self._ended())

    def _ended(self) -> RecognizerError:
        self._process.join(1.0)
        code = self._process.exitcode
        return RecognizerError(f"the recognizer's process has ended (exit code {code}); start again, or try another")


class _Clip:
    """One open clip in the other process; see `sim.cloud.recognizer.Listening`."""

    def __init__(self, process: RecognizerProcess, number: int) -> None:
        self._process, self._number = process, number
        self._open = True
        process.ask((number, "listen", None))

    def push(self, samples: NDArray[np.int16]) -> None:
        assert self._open, "this clip is over"
        self._process.ask((self._number, "push", samples.copy()))

    def finish(self) -> Transcript:
        assert self._open, "this clip is over"
        self._open = False
        return self._process.answer_to(self._number)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._process.ask((self._number, "close", None))


def _settle(awaited: Future[Transcript], answer: Transcript | RecognizerError) -> None:
    if isinstance(answer, RecognizerError):
        awaited.set_exception(answer)
    else:
        awaited.set_result(answer)


def _serve(pipe: Connection, name: str, ears: EarSettings | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the device, which ends this in its own time
    try:
        recognizer = load_recognizer(name, ears=ears)
        pipe.send(recognizer.name)
    except RecognizerError as error:
        pipe.send(error)
        return
    clips: dict[int, Listening | RecognizerError] = {}
    while True:
        try:
            number, verb, samples = pipe.recv()
        except (EOFError, OSError):
            return
        answer = _obey(recognizer, clips, number, verb, samples)
        if answer is not None:
            pipe.send((number, answer))


def _obey(
    recognizer: Recognizer,
    clips: dict[int, Listening | RecognizerError],
    number: int,
    verb: _Verb,
    samples: NDArray[np.int16] | None,
) -> Transcript | RecognizerError | None:
    """Give what a finished clip comes to; a failure before that is kept until then."""
    try:
        clip = clips[number] if verb != "listen" else recognizer.listen()
        if isinstance(clip, RecognizerError):
            return clip if verb == "finish" else None
        clips[number] = clip
        if verb == "push":
            assert samples is not None
            clip.push(samples)
        elif verb == "finish":
            return clip.finish()
        elif verb == "close":
            clip.close()
    except RecognizerError as error:
        clips[number] = error
        return error if verb == "finish" else None
    finally:
        if verb in ("finish", "close"):
            clips.pop(number, None)
    return None
