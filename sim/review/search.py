"""A search over every byte that the far end holds, for words and for the sound of a clip.

Of SQLite that is the whole file with its log and its free pages. A server's own files cannot be read from here: there
every text in every table is looked at, and what lies beneath is named as not searched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy import JSON, String, cast, or_, select

from sim.cloud.schema import Base, ExportRow
from sim.cloud.store import ClipStore
from sim.cloud.vault import named_in
from sim.errors import StoreAwayError, StoreError
from wakeword.errors import SoundError
from wakeword.sound import Samples, decode_flac

_CHUNK = 256
"""Samples that must be the same, one by one, for sound to be found: 16 ms."""
_LIVELY = 16
"""So many different values a chunk must have, or silence would be found everywhere."""
_SHOWN = 200


@dataclass(frozen=True)
class Hit:
    """Something that was found: where, at which byte of it (None where that says nothing), and what."""

    place: str
    offset: int | None
    what: str


@dataclass
class Found:
    """What a search found, how much it looked at, and what it could not look at.

    closed: files whose key is gone, or elsewhere: nobody can search them, or listen.
    """

    hits: list[Hit] = field(default_factory=list)
    files: int = 0
    size: int = 0
    closed: int = 0
    unsearched: list[str] = field(default_factory=list)


def search(store: ClipStore, texts: Sequence[str], sound: Samples | None = None) -> Found:
    """Search for texts, whatever their case, and for the sound of a clip, int16[n]; raises StoreAwayError."""
    found = Found()
    wanted = {needle: text for text in texts for needle in _written(text)}
    target = _Target(sound)
    for place, content in _contents(store, found):
        found.files += 1
        found.size += len(content)
        lowered = content.lower()
        for needle, text in wanted.items():
            if (at := lowered.find(needle)) >= 0:
                found.hits.append(Hit(place, at, repr(text)))
        opened = _opened(store, content, found)
        if (first := target.raw_in(content)) is not None:
            found.hits.append(Hit(place, first, "the sound, as samples"))
        elif opened is not None and target.flac_in(opened):
            found.hits.append(
                Hit(place, None, "the sound, closed with a key that is there" if named_in(content) else "the sound")
            )
    if not store.database.is_file:
        found.hits += _rows(store, texts)
        found.unsearched.append(
            f"the files of {store.database.shown}, its log, copies and replicas: only its tables were"
        )
    return found


def _contents(store: ClipStore, found: Found) -> Iterator[tuple[str, bytes]]:
    """Give every file of the store, of its database and vault, and of the training sets that were made of it."""
    own: set[Path] = set()
    for name in store.files.names():
        if store.files.folder is not None:
            own.add((store.files.folder / name).resolve())
        try:
            yield name, store.files.read(name)
        except StoreAwayError:
            raise
        except StoreError:
            found.unsearched.append(name)
    others = [*store.database.files, *store.vault.files]
    with store.database.reading() as session:
        sets = [Path(path) for path in session.scalars(select(ExportRow.path).distinct().order_by(ExportRow.path))]
    for folder in sets:
        if folder.is_dir():
            others += sorted(path for path in folder.rglob("*") if path.is_file())
        else:
            found.unsearched.append(f"the training set {folder}, which is not there")
    for path in others:
        if path.resolve() not in own:
            own.add(path.resolve())
            yield str(path), path.read_bytes()


def _written(text: str) -> set[bytes]:
    """The ways in which a text may stand in a file: as it is, and as JSON writes it."""
    lowered = text.lower()
    return {lowered.encode(), json.dumps(lowered)[1:-1].encode(), lowered.encode("utf-16-le")}


def _opened(store: ClipStore, content: bytes, found: Found) -> bytes | None:
    """Give the FLAC that a file holds, opened where its key is there; None for one that holds none."""
    if content.startswith(b"fLaC"):
        return content
    name = named_in(content)
    if name is None:
        return None
    key = store.vault.key(name)
    if key is None:
        found.closed += 1
        return None
    return key.open(content)


class _Target:
    """The sound that is looked for."""

    def __init__(self, sound: Samples | None) -> None:
        self._bytes = b"" if sound is None else sound.astype("<i2").tobytes()
        pieces = [] if sound is None else [sound[at : at + _CHUNK] for at in range(0, len(sound) - _CHUNK + 1, _CHUNK)]
        self._pieces = [piece.astype("<i2").tobytes() for piece in pieces if _is_lively(piece)]

    def raw_in(self, content: bytes) -> int | None:
        """Where some of it stands as plain samples."""
        places = (content.find(piece) for piece in self._pieces)
        return next((at for at in places if at >= 0), None)

    def flac_in(self, flac: bytes) -> bool:
        """Whether a FLAC holds some of it."""
        if not self._bytes:
            return False
        try:
            samples = decode_flac(flac)
        except SoundError:
            return False
        pieces = (samples[at : at + _CHUNK] for at in range(0, len(samples) - _CHUNK + 1, _CHUNK))
        return any(self._holds(piece) for piece in pieces if _is_lively(piece))

    def _holds(self, piece: Samples) -> bool:
        wanted, at = piece.astype("<i2").tobytes(), -1
        while (at := self._bytes.find(wanted, at + 1)) >= 0:
            if at % 2 == 0:
                return True
        return False


def _is_lively(piece: Samples) -> bool:
    return len(np.unique(piece)) >= _LIVELY


def _rows(store: ClipStore, texts: Sequence[str]) -> Iterator[Hit]:
    """Look at every text in every table."""
    with store.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            columns = [column for column in table.columns if isinstance(column.type, String | JSON)]
            for column in columns:
                for text in texts:
                    shown = cast(column, String)
                    ways = [
                        shown.icontains(way.decode(), autoescape=True) for way in _written(text) if b"\0" not in way
                    ]
                    rows = select(*table.primary_key).where(or_(*ways)).limit(_SHOWN)
                    for row in session.execute(rows):
                        name = f"{table.name}.{column.name} of {', '.join(map(str, row))}"
                        yield Hit(name, None, repr(text))
