"""What the far end keeps: clips, their parts, and what was heard in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from sim.cloud.claims import Claims
from sim.cloud.database import Database
from sim.cloud.files import Files
from sim.cloud.schema import ClipRow, PartRow, TranscriptRow, TurnRow
from sim.cloud.transcript import Transcript, Word
from sim.errors import Refused, StoreError
from uplink import message
from uplink.inventory import MARK_DIGITS, Parts
from uplink.message import Part
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


_NEW_CLIP = text("INSERT INTO clips (id, device, complete) VALUES (:id, :device, false) ON CONFLICT (id) DO NOTHING")
_NEXT_SERIAL = text(
    "INSERT INTO counters (name, value) VALUES ('serial', :floor) ON CONFLICT (name) DO UPDATE SET value = "
    "CASE WHEN counters.value < :floor THEN :floor ELSE counters.value + 1 END RETURNING value"
)


class ClipStore:
    """Durable and idempotent; for any number of threads, and of programs that open the same one.

    Every method raises StoreAwayError while database or files cannot be used. `claims` says who answers what, `shown`
    where it is.
    """

    def __init__(self, root: Path | str, database: str | None = None) -> None:
        """Open the store under a folder or fsspec URL; `database` is an SQLAlchemy URL.

        Without it the database is ``store.sqlite`` in the folder, and a root that is no folder raises StoreError.
        """
        self._files = Files(root)
        if database is None:
            if self._files.folder is None:
                raise StoreError(
                    f"the store {self._files.shown} is no folder, so its database needs a URL of its own; "
                    "name it with --database"
                )
            database = f"sqlite:///{self._files.folder / 'store.sqlite'}"
        self.shown = self._files.shown
        self._database = Database(database)
        self.claims = Claims(self._database)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def add(self, part: Part) -> bool:
        """Keep a part, which is on the disk when this returns; say whether its clip is complete.

        The same part again is taken in silence. Raises Refused where it contradicts what is stored.
        """
        file = _file(part.device, part.clip, part.number, part.digest)
        if part.audio:
            self._files.write(file, part.audio)  # first, so that nobody waits for it
        try:
            with self._database.writing() as session:
                return _add(session, part)
        except Refused:  # and so it will be for everybody: what is stored does not go away
            self._files.remove(file)
            raise

    def next_serial(self, floor: int) -> int:
        """Give a number larger than any it gave before, and at least `floor`; also among several programs."""
        with self._database.writing() as session:
            serial: int = session.execute(_NEXT_SERIAL, {"floor": floor}).scalar_one()
        return serial

    def clip(self, clip: str) -> Clip | None:
        """Give a clip as far as it is stored; None where nothing of it is."""
        with self._database.reading() as session:
            row = session.get(ClipRow, clip)
            return None if row is None else _describe(row, _parts_of(session, clip))

    def clips(self) -> list[Clip]:
        """Give every clip, ordered by id and so, for each device, by time."""
        with self._database.reading() as session:
            rows = session.scalars(select(ClipRow).order_by(ClipRow.id)).all()
            return [_describe(row, _parts_of(session, row.id)) for row in rows]

    def unanswered(self) -> list[str]:
        """Give the ids of the clips that are complete and have no transcript."""
        return [claim.clip for claim in self.claims.all()]

    def audio(self, clip: str) -> NDArray[np.int16]:
        """Give the whole clip, int16[end - begin] at 16 kHz.

        Raises StoreError where a part is missing, or its file is no longer what was stored.
        """
        with self._database.reading() as session:
            row = session.get(ClipRow, clip)
            if row is None or not row.complete:
                raise StoreError(f"clip {clip} is not complete; wait for its other parts")
            parts = [
                (_file(row.device, clip, part.number, part.digest), part.digest)
                for part in _parts_of(session, clip)
                if part.end > part.begin
            ]
        return np.concatenate([np.zeros(0, np.int16), *(self._samples(file, digest) for file, digest in parts)])

    def _samples(self, file: str, digest: str) -> NDArray[np.int16]:
        audio = self._files.read(file)
        if hashlib.sha256(audio).hexdigest() != digest:  # a decoder lets some damage pass as other sound
            raise StoreError(f"{file} is damaged in the store; bring it back from a copy")
        return decode_flac(audio)

    def add_transcript(self, clip: str, transcript: Transcript) -> None:
        """Keep what was heard in a clip, which is answered now; a later transcript replaces an earlier one.

        Raises TakenOverError where another receiver has claimed the clip.
        """
        words = [[word.text, word.begin, word.end, word.confidence] for word in transcript.words]
        row = TranscriptRow(clip=clip, recognizer=transcript.recognizer, text=transcript.text, words=words)
        with self._database.writing() as session:
            self.claims.settle(session, clip)
            session.merge(row)

    def transcript(self, clip: str) -> Transcript | None:
        """Give what was heard in a clip; None where nobody has listened yet."""
        with self._database.reading() as session:
            row = session.get(TranscriptRow, clip)
            return None if row is None else Transcript(row.text, tuple(Word(*w) for w in row.words), row.recognizer)

    def stock(self, parts: Parts) -> tuple[Parts, frozenset[str]]:
        """Give those of these parts that are stored as they were sent, and those of their clips that are complete."""
        here: dict[str, dict[int, str]] = {}
        complete = set()
        with self._database.reading() as session:
            for clip, marks in parts.items():
                rows = {row.number: row.sealed[:MARK_DIGITS] for row in _parts_of(session, clip)}
                here[clip] = {number: mark for number, mark in marks.items() if rows.get(number) == mark}
                row = session.get(ClipRow, clip)
                if row is not None and row.complete:
                    complete.add(clip)
        return here, frozenset(complete)


def _file(device: str, clip: str, number: int, digest: str) -> str:
    """Name a part's file by what it holds too: two that contradict each other never meet in one."""
    return f"audio/{device}/{clip}/{number:05d}-{digest[:16]}.flac"


def _add(session: Session, part: Part) -> bool:
    clip = _locked(session, part)
    # Its neighbours, itself, and the one that ends the clip.
    near = {
        row.number: row
        for row in session.scalars(
            select(PartRow).where(
                PartRow.clip == part.clip,
                or_(PartRow.number.between(part.number - 1, part.number + 1), PartRow.last),
            )
        )
    }
    if part.number in near:
        if near[part.number].digest != part.digest:
            raise Refused(f"part {part.number} of clip {part.clip} is already stored with other audio")
        near[part.number].sealed = part.sealed or part.digest
        return clip.complete
    stored, highest = session.execute(
        select(func.count(), func.max(PartRow.number)).where(PartRow.clip == part.clip)
    ).one()
    _require_fit(part, near, -1 if highest is None else highest)
    session.add(
        PartRow(
            clip=part.clip,
            number=part.number,
            last=part.last,
            begin=part.begin,
            end=part.end,
            digest=part.digest,
            sealed=part.sealed or part.digest,
            facts=dict(part.facts),
        )
    )
    end = part.number if part.last else next((row.number for row in near.values() if row.last), None)
    if end is not None and stored == end:  # with this one there are end + 1
        clip.complete = True
        session.add(TurnRow(clip=part.clip, owner=None, beat=0))
    return clip.complete


def _locked(session: Session, part: Part) -> ClipRow:
    """Give the row of a part's clip, made where it is missing, which nobody else gets before this is committed."""
    row = select(ClipRow).where(ClipRow.id == part.clip).with_for_update(key_share=True)
    clip = session.scalar(row)
    if clip is None:
        session.execute(_NEW_CLIP, {"id": part.clip, "device": part.device})
        clip = session.scalars(row).one()
    return clip


def _parts_of(session: Session, clip: str) -> Sequence[PartRow]:
    return session.scalars(select(PartRow).where(PartRow.clip == clip).order_by(PartRow.number)).all()


def _describe(row: ClipRow, parts: Sequence[PartRow]) -> Clip:
    if not parts:
        raise StoreError(f"the parts of clip {row.id} are gone from the database; bring it back from a copy")
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


def _require_fit(part: Part, near: Mapping[int, PartRow], highest: int) -> None:
    """Raise Refused where a part does not join its neighbours, or stands behind the last one."""
    before, behind = near.get(part.number - 1), near.get(part.number + 1)
    if before is not None and before.end != part.begin:
        raise Refused(
            f"part {part.number} of clip {part.clip} begins at {part.begin}, but the one before ends at {before.end}"
        )
    if behind is not None and behind.begin != part.end:
        raise Refused(
            f"part {part.number} of clip {part.clip} ends at {part.end}, but the next begins at {behind.begin}"
        )
    end = next((row.number for row in near.values() if row.last), None)
    if (end is not None and (part.last or part.number > end)) or (part.last and highest > part.number):
        raise Refused(f"part {part.number} of clip {part.clip} contradicts where the clip ends")
