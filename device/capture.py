"""One clip while it is being recorded: cut into parts that leave while the capture goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from device.events import Event, Kind
from device.ring import Ring
from uplink.message import JSON


class Capture:
    """The clip from sample `begin` on, in parts of `part` samples, the last one shorter.

    The opening facts go with part 0, the reason of the end with the last part.
    """

    def __init__(self, clip: str, begin: int, part: int, facts: Mapping[str, JSON]) -> None:
        self.clip, self.begin = clip, begin
        self._part, self._facts = part, facts
        self._next, self._number = begin, 0

    def advance(self, ring: Ring) -> Iterator[Event]:
        """Give the parts that are full; one sample at least is kept back for the last part."""
        while ring.head - self._next > self._part:
            yield self._emit(ring, self._next + self._part)

    def end(self, ring: Ring, reason: str) -> Iterator[Event]:
        """Give what is left as the last part, and the end of the capture."""
        yield from self.advance(ring)
        end = ring.head
        yield self._emit(ring, end, reason)
        facts: dict[str, JSON] = {"clip": self.clip, "reason": reason, "begin": self.begin, "end": end}
        yield Event(end, Kind.CAPTURE_END, {**facts, "parts": self._number})

    def _emit(self, ring: Ring, end: int, reason: str | None = None) -> Event:
        facts: dict[str, JSON] = dict(self._facts) if self._number == 0 else {}
        if reason is not None:
            facts["reason"] = reason
        number, begin, self._number, self._next = self._number, self._next, self._number + 1, end
        about: dict[str, JSON] = {
            "clip": self.clip,
            "number": number,
            "last": reason is not None,
            "begin": begin,
            "end": end,
            "facts": facts,
        }
        return Event(ring.head, Kind.PART, about, ring.read(begin, end))
