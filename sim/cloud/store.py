"""What the far end keeps: clips, their parts, and what was heard in them. The only file that knows SQLAlchemy."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import JSON, BigInteger, Engine, ForeignKey, create_engine, event, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from sim.cloud.files import Files
from sim.cloud.transcript import Transcript, Word
from sim.errors import Refused, StoreError
from uplink import message
from uplink.message import Part
from wakeword.errors import SoundError
from wakeword.sound import decode_flac


@dataclass(frozen=True)
class Clip:
    """A clip as far as it is stored: samples `begin` to `end` of the stream, in `parts` parts.

    opening, ending: the facts of its first and its last part; empty while that part is missing.
    """

    id: str
    device: str
    begin: int
    end: int
    parts: int
    complete: bool
    opening: Mapping[str, message.JSON]
    ending: Mapping[str, message.JSON]


class _Base(DeclarativeBase):
    pass


class _ClipRow(_Base):
    __tablename__ = "clips"
    id: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(index=True)
    complete: Mapped[bool]


class _PartRow(_Base):
    __tablename__ = "parts"
    clip: Mapped[str] = mapped_column(ForeignKey("clips.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[bool]
    begin: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)


class _TranscriptRow(_Base):
    __tablename__ = "transcripts"
    clip: Mapped[str] = mapped_column(ForeignKey("clips.id"), primary_key=True)
    recognizer: Mapped[str]
    text: Mapped[str]
    words: Mapped[list[Any]] = mapped_column(JSON)


class _CounterRow(_Base):
    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


_NEXT_SERIAL = text(
    "INSERT INTO counters (name, value) VALUES ('serial', :floor) ON CONFLICT (name) DO UPDATE SET value = "
    "CASE WHEN counters.value < :floor THEN :floor ELSE counters.value + 1 END RETURNING value"
)


class ClipStore:
    """Durable and idempotent; for any number of threads. Every method raises StoreError for a disk that fails.

    The same part again is taken in silence; a part that contradicts what is stored is Refused.
    """

    def __init__(self, root: Path | str, database: str | None = None) -> None:
        """Open the store under a folder or fsspec URL; `database` is an SQLAlchemy URL.

        Without it the database is ``store.sqlite`` in the folder, and a root that is no folder raises StoreError.
        """
        self._files = Files(root)
        if database is None:
            if self._files.folder is None:
                raise StoreError(f"the store {root} is no folder, so its database needs a URL of its own")
            database = f"sqlite:///{self._files.folder / 'store.sqlite'}"
        self._name = database
        self._writing = threading.Lock()
        with self._translated():
            self._engine = create_engine(database)
            if self._engine.dialect.name == "sqlite":
                _make_durable(self._engine)
            _Base.metadata.create_all(self._engine)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def add(self, part: Part) -> bool:
        """Keep a part, which is on the disk when this returns; say whether its clip is complete.

        Raises Refused where it contradicts what is stored.
        """
        with self._writing, self._session() as session:
            rows = {row.number: row for row in session.scalars(select(_PartRow).where(_PartRow.clip == part.clip))}
            clip = session.get(_ClipRow, part.clip)
            if clip is None:
                clip = _ClipRow(id=part.clip, device=part.device, complete=False)
                session.add(clip)
                session.flush()
            if part.number not in rows:
                _require_fit(part, rows)
                self._files.write(_file(part.device, part.clip, part.number), part.audio)
                rows[part.number] = row = _PartRow(
                    clip=part.clip,
                    number=part.number,
                    last=part.last,
                    begin=part.begin,
                    end=part.end,
                    digest=part.digest,
                    facts=dict(part.facts),
                )
                session.add(row)
                clip.complete = rows[max(rows)].last and len(rows) == max(rows) + 1
            elif rows[part.number].digest != part.digest:
                raise Refused(f"part {part.number} of clip {part.clip} is already stored with other audio")
            complete = clip.complete
            session.commit()
        return complete

    def next_serial(self, floor: int) -> int:
        """Give a number larger than any it gave before, and at least `floor`; also among several programs."""
        with self._writing, self._session() as session:
            serial: int = session.execute(_NEXT_SERIAL, {"floor": floor}).scalar_one()
            session.commit()
        return serial

    def clip(self, clip: str) -> Clip | None:
        """Give a clip as far as it is stored; None where nothing of it is."""
        with self._session() as session:
            row = session.get(_ClipRow, clip)
            return None if row is None else _describe(row, _parts_of(session, clip))

    def clips(self) -> list[Clip]:
        """Give every clip, ordered by id and so, for each device, by time."""
        with self._session() as session:
            rows = session.scalars(select(_ClipRow).order_by(_ClipRow.id)).all()
            return [_describe(row, _parts_of(session, row.id)) for row in rows]

    def unanswered(self) -> list[str]:
        """Give the ids of the clips that are complete and have no transcript."""
        missing = select(_ClipRow.id).outerjoin(_TranscriptRow, _TranscriptRow.clip == _ClipRow.id)
        with self._session() as session:
            return list(
                session.scalars(missing.where(_ClipRow.complete, _TranscriptRow.clip.is_(None)).order_by(_ClipRow.id))
            )

    def audio(self, clip: str) -> NDArray[np.int16]:
        """Give the whole clip, int16[end - begin] at 16 kHz.

        Raises StoreError where a part is missing, or its file is no longer what was stored.
        """
        with self._session() as session:
            row = session.get(_ClipRow, clip)
            if row is None or not row.complete:
                raise StoreError(f"clip {clip} is not complete; wait for its other parts")
            device, parts = row.device, [(part.number, part.end - part.begin) for part in _parts_of(session, clip)]
        return np.concatenate([self._samples(device, clip, number, length) for number, length in parts])

    def _samples(self, device: str, clip: str, number: int, length: int) -> NDArray[np.int16]:
        if not length:
            return np.zeros(0, np.int16)
        name = _file(device, clip, number)
        try:
            samples = decode_flac(self._files.read(name))
        except SoundError as error:
            raise StoreError(f"{name} is damaged in the store ({error})") from None
        if len(samples) != length:
            raise StoreError(f"{name} is damaged in the store ({len(samples)} samples instead of {length})")
        return samples

    def add_transcript(self, clip: str, transcript: Transcript) -> None:
        """Keep what was heard in a clip; a later transcript replaces an earlier one."""
        words = [[word.text, word.begin, word.end, word.confidence] for word in transcript.words]
        row = _TranscriptRow(clip=clip, recognizer=transcript.recognizer, text=transcript.text, words=words)
        with self._writing, self._session() as session:
            session.merge(row)
            session.commit()

    def transcript(self, clip: str) -> Transcript | None:
        """Give what was heard in a clip; None where nobody has listened yet."""
        with self._session() as session:
            row = session.get(_TranscriptRow, clip)
            return None if row is None else Transcript(row.text, tuple(Word(*w) for w in row.words), row.recognizer)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._translated(), Session(self._engine) as session:
            yield session

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            # Its own text quotes the statement and its values; the driver's is the one line that says what is wrong.
            why = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise StoreError(f"the database {self._shown()} cannot be used ({why}); check disk and file") from None

    def _shown(self) -> str:
        return self._name.rpartition("@")[2].removeprefix("sqlite:///")


def _make_durable(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")  # readers do not wait for the writer
        connection.execute("PRAGMA synchronous = FULL")  # a receipt says that the part is on the disk
        connection.execute("PRAGMA foreign_keys = ON")


def _file(device: str, clip: str, number: int) -> str:
    return f"audio/{device}/{clip}/{number:05d}.flac"


def _parts_of(session: Session, clip: str) -> list[_PartRow]:
    return list(session.scalars(select(_PartRow).where(_PartRow.clip == clip).order_by(_PartRow.number)))


def _describe(row: _ClipRow, parts: list[_PartRow]) -> Clip:
    first, final = parts[0], parts[-1]
    return Clip(
        id=row.id,
        device=row.device,
        begin=first.begin,
        end=final.end,
        parts=len(parts),
        complete=row.complete,
        opening=first.facts if first.number == 0 else {},
        ending=final.facts if final.last else {},
    )


def _require_fit(part: Part, rows: Mapping[int, _PartRow]) -> None:
    """Raise Refused where a part does not join its neighbours, or stands behind the last one."""
    before, behind = rows.get(part.number - 1), rows.get(part.number + 1)
    if before is not None and before.end != part.begin:
        raise Refused(
            f"part {part.number} of clip {part.clip} begins at {part.begin}, but the one before ends at {before.end}"
        )
    if behind is not None and behind.begin != part.end:
        raise Refused(
            f"part {part.number} of clip {part.clip} ends at {part.end}, but the next begins at {behind.begin}"
        )
    end = next((row.number for row in rows.values() if row.last), None)
    if (end is not None and (part.last or part.number > end)) or (part.last and any(n > part.number for n in rows)):
        raise Refused(f"part {part.number} of clip {part.clip} contradicts where the clip ends")
