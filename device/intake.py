"""What the sound system's callback leaves and the reader takes: a bounded queue, and a clock that counts over losses.

Two things lose input. The queue is full because the device does not take blocks in time: those frames are counted
exactly. Or the sound system itself could not hand them over: then nobody counts, and `Drift` estimates.
"""

from __future__ import annotations

import queue
import statistics
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from device.audio import Block
from wakeword.sound import RATE, Samples, StreamResampler


class Piece(NamedTuple):
    """What one callback leaves."""

    data: bytes
    """int16 frames of all channels, interleaved."""
    frames: int
    adc_s: float
    """When its first frame was captured, on the sound system's clock; 0 where that is not known."""
    arrival_s: float
    """When the callback ran, on the monotonic clock."""
    overflow: bool
    """The sound system says that it dropped input since the piece before."""
    dropped: int
    """Frames the full queue turned away since the piece before."""


class Stalled(Exception):  # noqa: N818 - a state of the microphone, which its owner words as an error
    """No piece came for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing came for {seconds:g} s")
        self.seconds = seconds


class Intake:
    """A queue of pieces, bounded by their frames.

    `put` belongs to the callback: it copies, counts and returns; it waits for nobody. Each counter has one writer.
    """

    def __init__(self, room: int) -> None:
        """`room`: frames that may wait."""
        self._room = room
        self._queue: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        self._put = 0  # frames; written by the callback alone, as the next two
        self._dropped = 0
        self._overflow = False
        self._taken = 0  # frames; written by the reader alone

    def put(self, data: bytes, frames: int, adc_s: float, arrival_s: float, overflow: bool) -> None:
        """Leave one callback's frames, or count them as dropped where there is no room."""
        overflow = overflow or self._overflow
        if self._put - self._taken + frames > self._room:
            self._dropped += frames
            self._overflow = overflow
            return
        self._queue.put(Piece(data, frames, adc_s, arrival_s, overflow, self._dropped))
        self._put += frames
        self._dropped = 0
        self._overflow = False

    def end(self) -> None:
        """Say that no more comes; from any thread."""
        self._queue.put(None)

    def pieces(self, first_s: float, next_s: float) -> Iterator[Piece]:
        """Give pieces until `end`, the last one without frames where frames were dropped at the very end.

        Raises Stalled when the first does not come within `first_s` or another within `next_s`.
        """
        patience = first_s
        while True:
            try:
                piece = self._queue.get(timeout=patience)
            except queue.Empty:
                raise Stalled(patience) from None
            if piece is None:
                break
            patience = next_s
            self._taken += piece.frames
            yield piece
        if self._dropped:
            yield Piece(b"", 0, 0.0, 0.0, False, self._dropped)


class Drift:
    """Estimates the frames that the sound system lost, by what two clocks say has passed.

    Without a loss, capture time minus frames heard stays where it is, but for jitter and a few millionths of drift;
    so does the time of arrival, which is late at times and never early. A loss raises both for good. Either alone can
    rise without one: the arrival when the callback was held up, the capture time when the wall clock is set or, on
    PulseAudio, in the first second. So the smaller rise counts: against the median capture time and the earliest
    arrival of the last 64 callbacks. The error of one estimate is the jitter of the capture time (PulseAudio: below
    0.2 ms); where the sound system gives none, how late the callback after the loss ran.

    A rise without an overflow flag (a source that was suspended) counts when it is above 50 ms and has lasted 0.5 s;
    until then the indices lag behind by it.
    """

    UNFLAGGED_S = 0.05
    LASTING_S = 0.5

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._frames = 0  # heard and lost
        self._capture: deque[float] = deque(maxlen=64)
        self._arrival: deque[float] = deque(maxlen=64)
        self._risen: list[tuple[float, float, float]] = []  # arrival, and both offsets, since an unflagged rise

    def lost(self, piece: Piece) -> int:
        """Count a piece in; returns the frames, 0 or more, that the sound system lost before it."""
        self._frames += piece.dropped
        heard_s = self._frames / self._rate
        arrival = piece.arrival_s - heard_s - piece.frames / self._rate
        capture = piece.adc_s - heard_s if piece.adc_s > 0 else arrival
        rise = self._rise(capture, arrival)
        lost = 0
        if piece.overflow:
            lost = round(rise * self._rate)
        elif rise > self.UNFLAGGED_S:
            self._risen.append((piece.arrival_s, capture, arrival))
            if piece.arrival_s - self._risen[0][0] < self.LASTING_S:
                self._frames += piece.frames
                return 0
            lost = round(self._rate * min(self._rise(capture, arrival) for _, capture, arrival in self._risen))
        self._risen.clear()
        self._frames += lost + piece.frames
        self._capture.append(capture - lost / self._rate)
        self._arrival.append(arrival - lost / self._rate)
        return lost

    def _rise(self, capture: float, arrival: float) -> float:
        if not self._capture:
            return 0.0
        return max(0.0, min(capture - statistics.median(self._capture), arrival - min(self._arrival)))


class Timeline:
    """Turns pieces into blocks at 16 kHz whose indices come from frames heard and lost, so that no error adds up.

    Over a loss the resampler ends and begins anew: sound never leaks across.
    """

    def __init__(self, rate: int, channels: int = 1, channel: int = 0) -> None:
        """`channel`, from 0, is the one of `channels` that is listened to."""
        self._rate, self._channels, self._channel = rate, channels, channel
        self._drift = Drift(rate)
        self._resampler = StreamResampler(rate)
        self._frames = 0  # heard and lost
        self._end = 0  # of the block before, at 16 kHz
        self._lost = 0  # not told yet, at 16 kHz
        self._why: set[str] = set()

    def blocks(self, piece: Piece) -> Iterator[Block]:
        """Give what is ready after `piece`: at most the end of what was before a loss, and what follows it."""
        overrun = self._drift.lost(piece)
        if piece.dropped or overrun:
            yield from self.flush()
            self._why |= ({"late"} if piece.dropped else set()) | ({"overrun"} if overrun else set())
            self._frames += piece.dropped + overrun
            self._lost = max(self._lost, round(self._frames * RATE / self._rate) - self._end)
            self._resampler = StreamResampler(self._rate)
        self._frames += piece.frames
        samples = np.frombuffer(piece.data, np.int16).reshape(-1, self._channels)[:, self._channel]
        yield from self._give(self._resampler.push(samples))

    def flush(self) -> Iterator[Block]:
        """Give what the resampler still holds."""
        yield from self._give(self._resampler.push(np.zeros(0, np.int16), last=True))

    def finish(self) -> Iterator[Block]:
        """Give what is left at the end of the stream; an empty block where it ends in a loss."""
        yield from self.flush()
        if self._lost:
            yield self._block(np.zeros(0, np.int16))

    def _give(self, samples: Samples) -> Iterator[Block]:
        if len(samples):
            yield self._block(samples)

    def _block(self, samples: Samples) -> Block:
        begin = self._end + self._lost
        why = ", ".join(sorted(self._why)) if self._lost else None
        block = Block(begin, samples, self._lost, why)
        self._end, self._lost = block.end, 0
        self._why.clear()
        return block
