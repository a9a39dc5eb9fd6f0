"""A source of sound that is followed: whoever wants to hears of each block that the device has taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from device.audio import Block, Source


class Followed:
    """A `device.audio.Source` around another; the followers are called on the thread that takes the blocks."""

    def __init__(self, source: Source, followers: Sequence[Callable[[Block], None]]) -> None:
        self.name = source.name
        self._source, self._followers = source, followers

    def blocks(self) -> Iterator[Block]:
        """Give the blocks as they are; each is told once the next is asked for, so when it has been dealt with."""
        for block in self._source.blocks():
            yield block
            for follow in self._followers:
                follow(block)

    def close(self) -> None:
        """Close what is followed."""
        self._source.close()
