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
from sim.cloud.settings import EarSettings, VerifierSettings
from sim.cloud.transcript import Transcript
from sim.cloud.verifier import Opening, Verdict, Verifier, load_verifier
from sim.errors import RecognizerError

_START_S = 120.0
"""A large model on a slow disk takes its time."""

_Verb = Literal["listen", "push", "finish", "close", "look"]
_Request = tuple[int, _Verb, NDArray[np.int16] | Opening | None]
_Answer = Transcript | Verdict | RecognizerError | None


class RecognizerProcess:
    """`load_recognizer` elsewhere; see `sim.cloud.recognizer.Recognizer`. Raises RecognizerError as that does.

    With the settings of a verifier the second look at wake words happens there, too.

    Thread-safe, and its clips too, each used by one thread at a time. Sound that is pushed waits in memory until the
    process has time for it: pushing never waits.
    """

    def __init__(
        self, name: str = "auto", ears: EarSettings | None = None, verifier: VerifierSettings | None = None
    ) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, name, ears, verifier), daemon=True)
        self._process.start()
        theirs.close()
        self._numbers = count()
        self._lock = threading.Lock()
        self._awaited: dict[int, Future[Transcript | Verdict | None]] = {}
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

    def look(self, opening: Opening) -> Verdict | None:
        """See `Verifier.look`; waits for what the recognizer is at. Nothing without a verifier."""
        verdict = self.answer_to((next(self._numbers), "look", opening))
        assert not isinstance(verdict, Transcript)
        return verdict

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

    def answer_to(self, request: _Request) -> Transcript | Verdict | None:
        """Send a request and wait for what it comes to; raises RecognizerError."""
        awaited: Future[Transcript | Verdict | None] = Future()
        with self._lock:
            if self._over:
                raise self._ended()
            self._awaited[request[0]] = awaited
        self.ask(request)
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
        transcript = self._process.answer_to((self._number, "finish", None))
        assert isinstance(transcript, Transcript)
        return transcript

    def close(self) -> None:
        if self._open:
            self._open = False
            self._process.ask((self._number, "close", None))


def _settle(awaited: Future[Transcript | Verdict | None], answer: _Answer) -> None:
    if isinstance(answer, RecognizerError):
        awaited.set_exception(answer)
    else:
        awaited.set_result(answer)


def _serve(pipe: Connection, name: str, ears: EarSettings | None, verifier: VerifierSettings | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the device, which ends this in its own time
    try:
        servant = _Servant(load_recognizer(name, ears=ears), load_verifier(verifier or VerifierSettings()))
        pipe.send(servant.name)
    except RecognizerError as error:
        pipe.send(error)
        return
    while True:
        try:
            number, verb, what = pipe.recv()
        except (EOFError, OSError):
            return
        answer = servant.obey(number, verb, what)
        if verb in ("finish", "look"):
            pipe.send((number, answer))


class _Servant:
    """What the other process does: a failure in an open clip is kept until somebody asks for its end."""

    def __init__(self, recognizer: Recognizer, verifier: Verifier | None) -> None:
        self.name = recognizer.name
        self._recognizer, self._verifier = recognizer, verifier
        self._clips: dict[int, Listening | RecognizerError] = {}

    def obey(self, number: int, verb: _Verb, what: NDArray[np.int16] | Opening | None) -> _Answer:
        """Do it, and give what it comes to."""
        try:
            if verb == "listen":
                self._clips[number] = self._recognizer.listen()
            elif isinstance(what, Opening):
                return self._verifier.look(what) if self._verifier is not None else None
            else:
                return self._go_on(number, verb, what)
        except RecognizerError as error:
            if verb in ("listen", "push"):
                self._clips[number] = error
            return error
        return None

    def _go_on(self, number: int, verb: _Verb, samples: NDArray[np.int16] | None) -> _Answer:
        clip = self._clips[number] if verb == "push" else self._clips.pop(number)
        if isinstance(clip, RecognizerError):
            return clip
        if samples is not None:
            clip.push(samples)
        elif verb == "finish":
            return clip.finish()
        else:
            clip.close()
        return None
