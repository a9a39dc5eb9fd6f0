"""Echo cancellation: takes the device's own prompts out of what its microphone hears, by WebRTC's canceller.

Only while a prompt sounds, and shortly after, is anything changed: all other sound passes bit by bit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from device.audio import Block, Source
from device.errors import DeviceError
from wakeword.sound import RATE, Samples

FRAME = RATE // 100
"""Samples that the canceller takes at a time."""
LEAD = RATE // 10
"""So much earlier than it is to be heard a prompt is shown to the canceller: it finds delays, and never an advance."""
TAIL = RATE
"""How long after a prompt a room may still give it back."""


class Canceller(Protocol):
    """WebRTC's, or a test's."""

    def process(self, near: Samples, far: Samples) -> Samples:
        """int16[k * 160] each, heard and played -> what is left."""
        ...


class Played:
    """What the loudspeaker plays, on the microphone's clock; one thread adds, another reads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sounds: list[tuple[int, Samples]] = []

    def begin(self, at: int, sound: Samples) -> None:
        """From sample `at` on this is to be heard; what was to be heard after it is not."""
        with self._lock:
            self._cut(at)
            self._sounds.append((at, sound))

    def stop(self, at: int) -> None:
        """From sample `at` on nothing is to be heard."""
        with self._lock:
            self._cut(at)

    def _cut(self, at: int) -> None:
        self._sounds = [(begin, sound[: max(0, at - begin)]) for begin, sound in self._sounds if begin < at]

    def read(self, begin: int, end: int) -> Samples | None:
        """What is to be heard from `begin` to `end`, `LEAD` early; None where nothing was for `TAIL` before `begin`.

        What is over by then is forgotten.
        """
        with self._lock:
            self._sounds = [(at, sound) for at, sound in self._sounds if at + len(sound) + TAIL > begin]
            sounds = [(at - LEAD, sound) for at, sound in self._sounds if at - LEAD < end]
        if not sounds:
            return None
        found = np.zeros(end - begin, np.int16)
        for at, sound in sounds:
            first, last = max(begin, at), min(end, at + len(sound))
            if first < last:
                found[first - begin : last - begin] = sound[first - at : last - at]
        return found


class WithoutEcho:
    """A source of sound without what was played; see `Source`."""

    def __init__(self, source: Source, played: Played, canceller: Canceller | None = None) -> None:
        """Raises DeviceError where the library is not installed."""
        self._source, self._played = source, played
        self._canceller = canceller or _load()
        self._rest = np.zeros(0, np.int16)
        self.name = source.name

    def close(self) -> None:
        """As the source."""
        self._source.close()

    def blocks(self) -> Iterator[Block]:
        """As the source; while something is played, blocks are of other sizes."""
        end = 0
        for block in self._source.blocks():
            begin = block.begin - len(self._rest)
            far = None
            if len(block.samples) and not block.lost:
                far = self._played.read(begin, block.end)
            if far is None:
                yield from self._flush(end)
                yield block
            else:
                near = np.concatenate([self._rest, block.samples])
                whole = len(near) - len(near) % FRAME
                self._rest = near[whole:]
                if whole:
                    yield Block(begin, self._canceller.process(near[:whole], far[:whole]))
            end = block.end
        yield from self._flush(end)

    def _flush(self, end: int) -> Iterator[Block]:
        """Give what waits for the rest of its frame, as it is."""
        rest, self._rest = self._rest, self._rest[:0]
        if len(rest):
            yield Block(end - len(rest), rest)


def _load() -> Canceller:
    try:
        from pywebrtc_audio import EchoCanceller
    except ImportError as error:
        raise DeviceError(
            "echo cancellation needs the package pywebrtc-audio; install it with: pip install 'misheard[echo]', or set "
            "audio.echo_cancellation=false"
        ) from error
    canceller: Canceller = EchoCanceller(sample_rate=RATE, num_channels=1)
    return canceller
