"""A helper process that speaks in framed messages, so that what crashes or hangs in it takes nobody along.

A message is one byte that says its kind, its length, and its body. The helper ends when its standard input does: it
never outlives whoever started it.
"""

from __future__ import annotations

import fcntl
import os
import queue
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, BinaryIO, NamedTuple, NoReturn

from device.errors import DeviceError

ERROR = b"E"
"""The kind of a message that is a sentence: what keeps a helper from its work, and ends it."""

_HEAD = struct.Struct("<cI")
_AT_ONCE = 1 << 16
_PIPE = 4096
"""Bytes that the pipe holds: one page, the least there is."""
_LAST_S = 2.0
"""How long a killed process may take to be gone; one that hangs in a driver is left to the system."""


class Message(NamedTuple):
    """What a helper says, or is told."""

    kind: bytes
    """One byte."""
    body: bytes = b""


class ChildEndedError(Exception):
    """The helper is gone; the text says how, as the end of a sentence."""


class Doorbell:
    """Ends a wait from any thread, also from a signal's handler; once rung it stays so."""

    def __init__(self) -> None:
        self._inside, self._outside = socket.socketpair()
        weakref.finalize(self, _close, self._inside, self._outside)
        self.rung = False

    def ring(self) -> None:
        """Let every wait end."""
        self.rung = True
        self._outside.close()

    def fileno(self) -> int:
        """Readable once it has been rung."""
        return self._inside.fileno()

    def wait(self, seconds: float) -> bool:
        """Wait until it is rung, so long at most; whether it was."""
        if not self.rung:
            select.select([self], [], [], max(0.0, seconds))
        return self.rung


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        each.close()


def end_after(work: Callable[[], None], told: BinaryIO, trouble: str) -> NoReturn:
    """Do a helper's work, telling what it raises as `ERROR`, and end this process without a look back.

    Closing a stream may hang where its sound system has gone. `trouble` begins the sentence of what nobody expected.
    """
    try:
        work()
    except DeviceError as error:
        write(told, Message(ERROR, str(error).encode()))
    except BrokenPipeError:  # nobody listens any more
        pass
    except Exception as error:  # noqa: BLE001 - whatever it is, who started this process must hear of it
        last = traceback.extract_tb(error.__traceback__)[-1]
        sentence = f"{trouble} ({type(error).__name__}: {error}, {last.name}); report this"
        write(told, Message(ERROR, sentence.encode()))
    os._exit(0)


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules; the folder it is called in has no say in what is imported."""
    return [sys.executable, "-P", "-m", module, *arguments]


class Child:
    """A running helper."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it; the number of the pipe on which it speaks is added to the command. Raises DeviceError."""
        inside, outside = os.pipe()
        with suppress(OSError):  # what waits is to wait in the helper, which counts what it has no room for
            fcntl.fcntl(outside, fcntl.F_SETPIPE_SZ, _PIPE)
        try:
            # A session of its own: Ctrl-C is for the device, which then ends its helpers.
            self._process = subprocess.Popen(
                [*command, str(outside)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(outside,),
                start_new_session=True,
            )
        except OSError as error:
            os.close(inside)
            raise DeviceError(
                f"the helper process for sound cannot be started ({error.strerror}); free some memory, and start again"
            ) from error
        finally:
            os.close(outside)
        self._pipe = os.fdopen(inside, "rb", buffering=0)
        self._buffer = bytearray()
        self._closing = threading.Lock()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def send(self, message: Message) -> None:
        """Tell it something, waiting while it is busy; raises ChildEndedError."""
        assert self._process.stdin is not None
        try:
            write(self._process.stdin, message)
        except (OSError, ValueError) as error:  # ValueError: killed meanwhile, by another thread
            raise ChildEndedError("has ended") from error

    def receive(self, seconds: float, bell: Doorbell) -> Message | None:
        """Its next message; None where none comes within `seconds`, or `bell` is rung. Raises ChildEndedError."""
        deadline = time.monotonic() + seconds
        while (message := self._cut()) is None:
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self._pipe.fileno(), bell.fileno()], [], [], left)
            if ready != [self._pipe.fileno()]:
                return None
            data = self._pipe.read(_AT_ONCE)
            if not data:
                raise ChildEndedError(self._end())
            self._buffer += data
        return message

    def _cut(self) -> Message | None:
        """The first whole message of what came, taken out of it."""
        if len(self._buffer) < _HEAD.size:
            return None
        kind, length = _HEAD.unpack_from(self._buffer)
        end = _HEAD.size + length
        if len(self._buffer) < end:
            return None
        message = Message(kind, bytes(self._buffer[_HEAD.size : end]))
        del self._buffer[:end]
        return message

    def _end(self) -> str:
        try:
            code = self._process.wait(_LAST_S)
        except subprocess.TimeoutExpired:
            return "hangs"
        return f"crashed ({signal.Signals(-code).name})" if code < 0 else f"ended with code {code}"

    def kill(self) -> None:
        """End it at once, whatever it does; from any thread, any number of times."""
        self._process.kill()
        with self._closing:
            try:
                self._process.wait(_LAST_S)
            except subprocess.TimeoutExpired:
                return
            assert self._process.stdin is not None
            with suppress(BrokenPipeError):  # what was still to be said to it
                self._process.stdin.close()
            self._pipe.close()


# In the helper.


def write(stream: IO[bytes], message: Message) -> None:
    """Write a message whole; raises OSError."""
    stream.write(_HEAD.pack(message.kind, len(message.body)) + message.body)
    stream.flush()


def read(stream: IO[bytes]) -> Message | None:
    """Read a message, waiting for it; None at the end."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, length = _HEAD.unpack(head)
    body = stream.read(length)
    return Message(kind, body) if len(body) == length else None


def orders() -> queue.SimpleQueue[Message]:
    """What this process is told; from now on it ends, however deep it hangs, as soon as its standard input does.

    Only then: a service manager that stops the device signals all of its processes, and the device is to end in order.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told: queue.SimpleQueue[Message] = queue.SimpleQueue()
    stream = os.fdopen(os.dup(0), "rb")

    def listen() -> None:
        while (message := read(stream)) is not None:
            told.put(message)
        os._exit(0)

    threading.Thread(target=listen, name="orders", daemon=True).start()
    return told
