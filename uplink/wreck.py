"""A spool that is damaged: what can still be read of it, around what is broken."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from uplink.dropped import Drop
from uplink.schema import checksum

_CLIP = re.compile(rb"[a-z0-9][a-z0-9-]{0,39}-[0-9]{8}t[0-9]{12}z-[0-9]{12}")
_CHUNK = 1 << 20
_WIDEST = 100_000
"""Places between two that could be read which are still tried one by one."""


@dataclass(frozen=True)
class ReadPart:
    """A part that is what it was when it was written."""

    clip: str
    number: int
    digest: str
    payload: bytes


@dataclass
class ReadClip:
    """What is known of a clip: how many `parts` waited (None: unknown), which were `listed`, where the `intact` are."""

    name: str
    born: float = 0.0
    utc: str = ""
    priority: float = 0.0
    closed: bool = True
    parts: int | None = None
    size: int = 0
    listed: set[int] = field(default_factory=set)
    intact: dict[int, int] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether everything that waited can be read, as far as can be known."""
        if not self.intact or not self.listed <= self.intact.keys():
            return False
        return len(self.intact) == (self.parts or max(self.intact) - min(self.intact) + 1)


class Wreck:
    """A damaged file, read row by row; never raises for what it finds there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._broken: set[str] = set()  # questions that could not be answered to the end
        self._connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None)
        self._connection.text_factory = bytes  # some of it may be no text any more
        columns = {row[1] for row in self._rows("PRAGMA table_info(part)")}
        self._has_crc = b"crc" in columns or not columns  # the first form of a spool had none

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def memos(self) -> dict[str, str]:
        """Give the names and values that were remembered."""
        memos = {}
        for name, value in self._rows("SELECT name, value FROM memo"):
            with suppress(UnicodeDecodeError, AttributeError):
                memos[name.decode()] = value.decode()
        return memos

    def drops(self) -> Iterator[Drop]:
        """Give the drop report."""
        for clip, parts, size, why, utc in self._rows("SELECT clip, parts, size, why, utc FROM dropped ORDER BY rank"):
            with suppress(UnicodeDecodeError, AttributeError, TypeError):
                yield Drop(clip.decode(), int(parts), int(size), why.decode(), utc.decode())

    def clips(self) -> dict[str, ReadClip]:
        """Give the clips of which a part waits, or waited, in the order in which they came, with what can be read."""
        clips: dict[str, ReadClip] = {}
        found = self._rows("SELECT name, born, utc, priority, closed, parts, size FROM clip ORDER BY rank")
        for name, born, utc, priority, closed, parts, size in found:
            with suppress(UnicodeDecodeError, AttributeError, TypeError):
                if parts:
                    clips[name.decode()] = ReadClip(
                        name.decode(), float(born), utc.decode(), float(priority), bool(closed), int(parts), int(size)
                    )
        listed = list(self._index())
        if len(self._broken) >= 3:  # neither the clips nor the index, from either end: nobody knows who is missing
            clips = {name: ReadClip(name) for name in self._names()} | clips
        for _, clip, number in listed:
            clips.setdefault(clip, ReadClip(clip)).listed.add(number)
        for place in self._places():
            if (part := self.part(place)) is not None:
                clips.setdefault(part.clip, ReadClip(part.clip)).intact[part.number] = place
        return clips

    def part(self, place: int) -> ReadPart | None:
        """Give the part at this place; None where it is not intact."""
        crc = "crc" if self._has_crc else "NULL"
        for row in self._rows(f"SELECT clip, number, digest, {crc}, payload FROM part WHERE place = ?", (place,)):
            return _intact(row)
        return None

    def _places(self) -> list[int]:
        places = {place for place, _, _ in self._index()}
        for order in ("ASC", "DESC"):  # from either end up to what is broken
            places.update(
                row[0]
                for row in self._rows(f"SELECT place FROM part NOT INDEXED ORDER BY place {order}")
                if isinstance(row[0], int)
            )
        if places and max(places) - min(places) < _WIDEST:
            return list(range(min(places), max(places) + 1))
        return sorted(places)

    def _index(self) -> Iterator[tuple[int, str, int]]:
        for order in ("ASC", "DESC"):
            found = self._rows(f"SELECT place, clip, number FROM part ORDER BY clip {order}, number {order}")
            for place, clip, number in found:
                with suppress(UnicodeDecodeError, AttributeError):
                    if isinstance(place, int) and isinstance(number, int):
                        yield place, clip.decode(), number

    def _names(self) -> list[str]:
        """Give whatever looks like a clip's name anywhere in the file, delivered ones too: no page is to be trusted."""
        names: dict[str, None] = {}
        with suppress(OSError), self._path.open("rb") as file:
            before = b""
            while chunk := file.read(_CHUNK):
                names.update(dict.fromkeys(found.decode() for found in _CLIP.findall(before + chunk)))
                before = chunk[-80:]
        return list(names)

    def _rows(self, sql: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Give rows up to the first that cannot be read."""
        try:
            with closing(self._connection.execute(sql, values)) as cursor:
                yield from cursor
        except (sqlite3.Error, OverflowError, UnicodeDecodeError):
            self._broken.add(sql)


def _intact(row: tuple[Any, ...]) -> ReadPart | None:
    clip, number, digest, crc, payload = row
    with suppress(UnicodeDecodeError, AttributeError, TypeError):
        part = ReadPart(clip.decode(), number, digest.decode(), payload)
        if crc == checksum(part.clip, part.number, part.digest, part.payload):
            return part
        if crc is None and part.digest == hashlib.sha256(part.payload.partition(b"\n")[2]).hexdigest():
            return part
    return None
