"""Standard input, or any pipe, as a source of sound."""

from __future__ import annotations

import os
import select
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from device.audio import Block, cut
from device.errors import DeviceError
from wakeword.frames import HOP
from wakeword.sound import RATE, Samples, StreamResampler


class StreamSource:
    """A pipe, most of all standard input: raw 16-bit little-endian 16 kHz mono, or a 16-bit WAV of any rate.

    It is as fast as whoever writes into the pipe. Half a sample at the very end is left out.
    """

    def __init__(self, stream: BinaryIO, name: str = "standard input", block: int = HOP) -> None:
        self.name = name
        self._pipe = _Pipe(stream)
        self._block = block

    def close(self) -> None:
        """Make `blocks` end, also while it waits for the pipe."""
        self._pipe.close()

    def blocks(self) -> Iterator[Block]:
        """Give what comes out of the pipe in blocks; see `Source.blocks`."""
        index = 0
        try:
            for samples in cut(self._chunks(), self._block):
                if self._pipe.closed:
                    return
                yield Block(index, samples)
                index += len(samples)
        except OSError as error:
            raise DeviceError(f"{self.name} cannot be read ({error.strerror}); give it sound through a pipe") from error
        finally:
            self._pipe.release()

    def _chunks(self) -> Iterator[Samples]:
        head = self._pipe.exactly(12)
        for magic, kind in _NOT_RAW.items():
            if head.startswith(magic):
                raise DeviceError(
                    f"{self.name} is {kind}, not raw sound; give the file by its name, or decode it first: "
                    "ffmpeg -i FILE -f s16le -ar 16000 -ac 1 -"
                )
        if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
            form = self._wav_form()
            head = b""
        else:
            form = _Form(RATE, 1, None)
        frame = 2 * form.channels
        left = form.size
        resampler = StreamResampler(form.rate)
        rest = head
        while left is None or left > 0:
            data = self._pipe.some(self._block * frame if left is None else min(left, self._block * frame))
            if not data:
                break
            if left is not None:
                left -= len(data)
            rest += data
            whole = len(rest) - len(rest) % frame
            yield resampler.push(_mono(rest[:whole], form.channels))
            rest = rest[whole:]
        # What `exactly` read ahead of a stream shorter than a header is sound too.
        whole = len(rest) - len(rest) % frame
        yield resampler.push(_mono(rest[:whole], form.channels), last=True)

    def _wav_form(self) -> _Form:
        """Read a WAV's chunks up to its samples."""
        rate = channels = 0
        while True:
            head = self._pipe.exactly(8)
            if len(head) < 8:
                raise DeviceError(f"{self.name} begins as a WAV and ends before its samples; send it again, whole")
            kind, size = struct.unpack("<4sI", head)
            if kind == b"data" and rate:
                # A program that writes into a pipe cannot know the length: it leaves 0 or nearly the largest.
                return _Form(rate, channels, size if 0 < size < 0x7FF00000 else None)
            body = self._pipe.exactly(size + size % 2)
            if kind == b"fmt " and len(body) >= 16:
                code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
                if code not in (_WAV_PCM, _WAV_EXTENSIBLE) or bits != 16 or not channels or not rate:
                    raise DeviceError(
                        f"{self.name} is a WAV of {bits} bits (format {code}), and a pipe takes 16-bit PCM; "
                        "convert it: ffmpeg -i FILE -f s16le -ar 16000 -ac 1 -"
                    )


_WAV_PCM, _WAV_EXTENSIBLE = 1, 0xFFFE
_NOT_RAW = {b"fLaC": "a FLAC", b"OggS": "an Ogg stream", b"ID3": "an MP3"}


@dataclass(frozen=True)
class _Form:
    """How the samples of a pipe are packed: Hz, channels, and bytes to read (None: to the end)."""

    rate: int
    channels: int
    size: int | None


def _mono(data: bytes, channels: int) -> Samples:
    """Unpack interleaved little-endian frames and average their channels: int16[n]."""
    samples = np.frombuffer(data, dtype="<i2").astype(np.int16, copy=False)
    if channels == 1:
        return samples
    mean = samples.reshape(-1, channels).mean(axis=1)
    rounded: Samples = np.rint(mean).astype(np.int16)
    return rounded


class _Pipe:
    """Bytes from a file object; a wait for them can be ended from another thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._wake: tuple[int, int] | None = None
        self._closing = threading.Lock()
        self.closed = False
        try:
            self._descriptor: int | None = stream.fileno()
        except OSError:  # io.UnsupportedOperation: bytes in memory, which never make anybody wait
            self._descriptor = None
        else:
            self._wake = os.pipe()

    def close(self) -> None:
        with self._closing:
            self.closed = True
            if self._wake is not None:
                os.write(self._wake[1], b"x")

    def release(self) -> None:
        """Give back what waiting needed."""
        with self._closing:
            self.closed = True
            if self._wake is not None:
                os.close(self._wake[0])
                os.close(self._wake[1])
                self._wake = None

    def some(self, most: int) -> bytes:
        """Wait for bytes and give 1 to `most` of them; none at the end, or when closed."""
        if self.closed:
            return b""
        if self._descriptor is None or self._wake is None:
            return self._stream.read(most)
        ready, _, _ = select.select([self._descriptor, self._wake[0]], [], [])
        # The file object is passed by: its buffer would hide bytes from select.
        return b"" if self._wake[0] in ready else os.read(self._descriptor, most)

    def exactly(self, count: int) -> bytes:
        """Give `count` bytes, fewer only at the end."""
        data = b""
        while len(data) < count and (more := self.some(count - len(data))):
            data += more
        return data
