"""The log beside a spool's file, read as SQLite reads it, and beyond where SQLite stops without a word.

SQLite takes what stands behind a frame with a wrong checksum for a transaction that was never finished. Where a later
frame ends a transaction of the same log, that is not so sure: the disk may have changed what was finished. The form is
that of https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = 0x377F0682
"""With the lowest bit set, the words under a checksum are big-endian."""
_PAGE_SIZES = {1 << shift for shift in range(9, 17)}
Sum = tuple[int, int]


@dataclass(frozen=True)
class Frame:
    """A page as a transaction wrote it; `pages` is how many the file has then, 0 where the transaction goes on."""

    number: int
    pages: int
    page: bytes


@dataclass(frozen=True)
class CutLog:
    """A log of which SQLite would take less than was finished: every frame of it, and how many commits that costs."""

    frames: tuple[Frame, ...]
    commits: int

    def replay(self, file: bytes) -> bytes:
        """Give the file as it would be with every page of the log, changed ones too."""
        size = len(self.frames[0].page)
        pages = bytearray(file)
        most = len(file) // size + len(self.frames)
        for frame in self.frames:
            if 0 < frame.number <= most:
                begin = (frame.number - 1) * size
                pages.extend(bytes(max(0, begin + size - len(pages))))
                pages[begin : begin + size] = frame.page
        return bytes(pages)


def cut_log(path: Path) -> CutLog | None:
    """Read the log of the file at `path`, which nobody may be writing; None where SQLite will take all of it."""
    try:
        data = path.with_name(f"{path.name}-wal").read_bytes()
    except OSError:  # there is none, or SQLite will say what is wrong with it
        return None
    if len(data) < _HEADER.size + _FRAME.size:
        return None
    magic, _, size, _, salt_1, salt_2, sum_1, sum_2 = _HEADER.unpack_from(data)
    words = ">" if magic & 1 else "<"
    whole = magic | 1 == _MAGIC | 1 and checksum(data[:24], (0, 0), words) == (sum_1, sum_2)
    if not whole:  # then SQLite takes nothing: the file, and most of the frames, say what the header did
        size = _page_size(path)
    if size not in _PAGE_SIZES:
        return None
    if not whole:
        (salt_1, salt_2), _ = Counter(_salts(data, size)).most_common(1)[0]
    frames: list[Frame] = []
    taken, running = 0, (sum_1, sum_2)  # so many frames, up to the last commit that SQLite takes
    at, mark = _HEADER.size, struct.pack(">2I", salt_1, salt_2)
    while 0 <= at <= len(data) - _FRAME.size - size:
        number, pages, *salts, own_1, own_2 = _FRAME.unpack_from(data, at)
        page = data[at + _FRAME.size : at + _FRAME.size + size]
        if whole:
            running = checksum(data[at : at + 8] + page, running, words)
            whole = running == (own_1, own_2) and salts == [salt_1, salt_2]
        if found := salts == [salt_1, salt_2]:
            frames.append(Frame(number, pages, page))
            if whole and pages:
                taken = len(frames)
        at = at + _FRAME.size + size if found else data.find(mark, at + 9) - 8  # where the next one begins
    while frames and not frames[-1].pages:  # a transaction that was not finished
        frames.pop()
    commits = sum(frame.pages > 0 for frame in frames[taken:])
    return CutLog(tuple(frames), commits) if commits else None


def _salts(data: bytes, size: int) -> Iterator[Sum]:
    for at in range(_HEADER.size, len(data) - _FRAME.size + 1, _FRAME.size + size):
        _, _, one, two, _, _ = _FRAME.unpack_from(data, at)
        yield one, two


def checksum(data: bytes, before: Sum, words: str) -> Sum:
    """Continue SQLite's checksum of a log over these bytes, a multiple of 8; words is ``<`` or ``>``."""
    one, two = before
    numbers = struct.unpack(f"{words}{len(data) // 4}I", data)
    for first, second in zip(numbers[::2], numbers[1::2], strict=True):
        one = one + first + two & 0xFFFFFFFF
        two = two + second + one & 0xFFFFFFFF
    return one, two


def _page_size(path: Path) -> int:
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(18)[16:18], "big")
    except OSError:
        return 0
    return 65_536 if size == 1 else size
