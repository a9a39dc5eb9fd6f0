"""Where the device's sound comes from: blocks of 16 kHz mono, counted from the beginning of the stream.

The microphone and standard input have files of their own; sound files and arrays are here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from device.errors import DeviceError
from wakeword.errors import WakewordError
from wakeword.frames import HOP
from wakeword.sound import RATE, Samples, stream_sound

Pace = Literal["real", "fast"]


@dataclass(frozen=True)
class Block:
    """Samples in a row, and where they stand in the stream.

    The clock keeps counting over a loss: `begin` is then `lost` samples past the end of the block before. A block can
    be empty: where it tells what was lost, and where a source that waits lets the device do what else it is told.
    """

    begin: int
    """Index of the first sample: 16 kHz samples since the stream began."""
    samples: Samples
    """int16[n], mono."""
    lost: int = 0
    """Samples missing right before `begin`."""
    why: str | None = None
    """What lost them: "overrun" (the sound system dropped input), "late" (the device did not take it in time), "gone"
    (the microphone was away), or several of them, with commas."""

    @property
    def end(self) -> int:
        """Index just past the last sample."""
        return self.begin + len(self.samples)


class Source(Protocol):
    """Something that can be listened to."""

    name: str
    """For people: a file's path, a microphone's name."""

    def blocks(self) -> Iterator[Block]:
        """Give the stream's blocks in order, waiting for each; ends where the stream ends or after `close`.

        Called once. Raises DeviceError when the stream breaks, after everything heard has been given.
        """
        ...

    def close(self) -> None:
        """Make `blocks` end soon; from any thread, any number of times."""
        ...


class Clock(Protocol):
    """Time, as a paced source needs it."""

    def now(self) -> float:
        """Seconds from some beginning; never goes back."""
        ...

    def wait(self, closed: threading.Event, seconds: float) -> None:
        """Wait until `seconds` have passed or the source is closed."""
        ...


class SystemClock:
    """The clock on the wall."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def wait(self, closed: threading.Event, seconds: float) -> None:
        """Wait until `seconds` have passed or `closed` is set."""
        closed.wait(seconds)


class _Recorded:
    """What sources of sound that is already there have in common: cutting, pacing, closing.

    At pace "real" a block is given when its last sample would have been heard: at a time counted from the beginning
    and not from the block before, so that a late block does not delay the stream.
    """

    def __init__(self, name: str, pace: Pace, block: int, clock: Clock | None) -> None:
        self.name = name
        self._pace = pace
        self._block = block
        self._clock = clock or SystemClock()
        self._closed = threading.Event()

    def close(self) -> None:
        """Make `blocks` end before its next block."""
        self._closed.set()

    def blocks(self) -> Iterator[Block]:
        """Give the sound in blocks of one size, the last one shorter; see `Source.blocks`."""
        began = self._clock.now()
        index = 0
        try:
            for samples in cut(self._chunks(), self._block):
                if self._pace == "real":
                    due = began + (index + len(samples)) / RATE
                    while not self._closed.is_set() and (early := due - self._clock.now()) > 0:
                        self._clock.wait(self._closed, early)
                if self._closed.is_set():
                    return
                yield Block(index, samples)
                index += len(samples)
        except WakewordError as error:
            raise DeviceError(str(error)) from error

    def _chunks(self) -> Iterator[Samples]:
        raise NotImplementedError


def cut(chunks: Iterator[Samples], size: int) -> Iterator[Samples]:
    """Cut chunks of any length into int16[size], the last one shorter; what comes before an error is given first."""
    rest = np.zeros(0, np.int16)
    try:
        for chunk in chunks:
            rest = np.concatenate((rest, chunk)) if len(rest) else chunk
            whole = len(rest) - len(rest) % size
            for begin in range(0, whole, size):
                yield rest[begin : begin + size]
            rest = rest[whole:]
    except (WakewordError, DeviceError):
        if len(rest):
            yield rest
        raise
    if len(rest):
        yield rest


class ArraySource(_Recorded):
    """Samples in memory: int16[n], 16 kHz, mono."""

    def __init__(
        self,
        samples: Samples,
        pace: Pace = "fast",
        block: int = HOP,
        name: str = "array",
        clock: Clock | None = None,
    ) -> None:
        super().__init__(name, pace, block, clock)
        self._samples = samples

    def _chunks(self) -> Iterator[Samples]:
        yield self._samples


class FileSource(_Recorded):
    """A sound file of any rate, channel count and format that libsndfile reads; however long, read as it is heard."""

    def __init__(self, path: Path, pace: Pace = "fast", block: int = HOP, clock: Clock | None = None) -> None:
        super().__init__(str(path), pace, block, clock)
        self._path = path

    def _chunks(self) -> Iterator[Samples]:
        return stream_sound(self._path)
