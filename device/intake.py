"""What the sound system's callback leaves and the helper process passes on: a bounded queue, and pieces as bytes.

Nothing here needs more than Python itself: the helper that holds the microphone starts fast and stays small.
"""

from __future__ import annotations

import queue
import struct
from collections.abc import Iterator
from typing import NamedTuple


class Piece(NamedTuple):
    """What one callback leaves."""

    data: bytes
    """Frames of all channels, interleaved, in the sample format in which the microphone is open."""
    frames: int
    adc_s: float
    """When its first frame was captured, on the sound system's clock; 0 where that is not known."""
    arrival_s: float
    """When the callback ran, on the monotonic clock."""
    overflow: bool
    """The sound system says that it dropped input since the piece before."""
    dropped: int
    """Frames the full queue turned away since the piece before."""

    def pack(self) -> bytes:
        """As bytes."""
        head = _HEAD.pack(self.frames, self.adc_s, self.arrival_s, self.overflow, self.dropped)
        return head + self.data

    @classmethod
    def unpack(cls, body: bytes) -> Piece:
        """From bytes."""
        return cls(body[_HEAD.size :], *_HEAD.unpack_from(body))


_HEAD = struct.Struct("<Idd?Q")


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

    def pieces(self, first_s: float | None = None, next_s: float | None = None) -> Iterator[Piece]:
        """Give pieces until `end`, the last one without frames where frames were dropped at the very end.

        Raises Stalled when the first does not come within `first_s` or another within `next_s`; None waits for ever.
        """
        patience = first_s
        while True:
            try:
                piece = self._queue.get(timeout=patience)
            except queue.Empty:
                raise Stalled(patience or 0.0) from None
            if piece is None:
                break
            patience = next_s
            self._taken += piece.frames
            yield piece
        if self._dropped:
            yield Piece(b"", 0, 0.0, 0.0, False, self._dropped)
