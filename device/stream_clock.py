"""From pieces to blocks: a clock that counts over losses, and samples of any format as int16 at 16 kHz.

Two things lose input. The queue is full because the device does not take blocks in time: those frames are counted
exactly. Or the sound system itself could not hand them over: then nobody counts, and `Drift` estimates.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.audio import Block
from device.intake import Piece
from wakeword.sound import RATE, Samples, StreamResampler


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

    @property
    def heard_until_s(self) -> float:
        """When what was heard ends, on the clock of arrivals; 0 before the first piece."""
        return self._frames / self._rate + min(self._arrival) if self._arrival else 0.0

    def _rise(self, capture: float, arrival: float) -> float:
        if not self._capture:
            return 0.0
        return max(0.0, min(capture - statistics.median(self._capture), arrival - min(self._arrival)))


_SCALES = {"int16": 2**15, "int24": 2**23, "int32": 2**31, "float32": 1}


def decode(data: bytes, channels: int, form: str = "int16") -> NDArray[Any]:
    """Frames of a sample format: int16[n, channels] from int16, and else float32 of full scale 1."""
    if form == "int24":
        packed = np.frombuffer(data, np.uint8).reshape(-1, 3)
        whole = np.zeros((len(packed), 4), np.uint8)
        whole[:, 1:] = packed  # in the upper bytes the sign is right, and the scale that of 32 bits
        return decode(whole.tobytes(), channels, "int32")
    frames = np.frombuffer(data, form).reshape(-1, channels)
    return frames if form == "int16" else (frames / np.float32(_SCALES[form])).astype(np.float32, copy=False)


def encode(samples: Samples, channels: int, form: str = "int16") -> bytes:
    """The way back: int16[n] on every channel, as frames of a sample format."""
    frames = np.repeat(samples[:, None], channels, axis=1)
    if form == "int16":
        return frames.tobytes()
    if form == "float32":
        return (frames / np.float32(2**15)).astype(np.float32).tobytes()
    whole = frames.astype(np.int32) << 16
    return whole.tobytes() if form == "int32" else whole.view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()


def loudest(frames: NDArray[Any]) -> int:
    """The channel of [n, channels] that varies most, so that a constant offset is no sound; the first of equals."""
    return int(np.argmax(np.var(frames.astype(np.float64), axis=0)))


class Timeline:
    """Turns pieces into blocks at 16 kHz whose indices come from frames heard and lost, so that no error adds up.

    Over a loss the resampler ends and begins anew: sound never leaks across.
    """

    def __init__(
        self,
        rate: int,
        channels: int = 1,
        channel: int = 0,
        form: str = "int16",
        begin: int = 0,
        lost: int = 0,
        why: str | None = None,
    ) -> None:
        """`channel`, from 0, is the one of `channels` that is listened to; `form` is the format of a sample.

        `begin`: the index at which a stream before this one ended; `lost` samples are missing between, for `why`.
        """
        self._rate, self._channels, self._channel, self._form = rate, channels, channel, form
        self._drift = Drift(rate)
        self._resampler = StreamResampler(rate)
        self._first = begin + lost
        self._frames = 0  # heard and lost
        self._end = begin  # of the block before, at 16 kHz
        self._lost = lost  # not told yet, at 16 kHz
        self._why = {why} if why else set()
        self.overflows = 0
        """How often the sound system said that it dropped input."""

    @property
    def heard_until_s(self) -> float:
        """The monotonic clock's time of the end of what was heard, as the earliest callbacks have it."""
        return self._drift.heard_until_s

    @property
    def heard_until(self) -> int:
        """The sample of that time."""
        return self._first + round(self._frames * RATE / self._rate)

    def blocks(self, piece: Piece) -> Iterator[Block]:
        """Give what is ready after `piece`: at most the end of what was before a loss, and what follows it."""
        overrun = self._drift.lost(piece)
        self.overflows += piece.overflow
        if piece.dropped or overrun:
            yield from self.flush()
            self._why |= ({"late"} if piece.dropped else set()) | ({"overrun"} if overrun else set())
            self._frames += piece.dropped + overrun
            self._lost = max(self._lost, self.heard_until - self._end)
            self._resampler = StreamResampler(self._rate)
        self._frames += piece.frames
        yield from self._give(self._resampler.push(decode(piece.data, self._channels, self._form)[:, self._channel]))

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
