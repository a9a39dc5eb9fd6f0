"""Deleting for real: rows, files, and what comes late of a clip that a customer had deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sim.cloud import outbox
from sim.cloud.answer import Directed, Fact
from sim.cloud.database import Database
from sim.cloud.files import Files
from sim.cloud.schema import ClipRow, DeletedRow, MessageRow, PartRow, TranscriptRow, TurnRow
from sim.cloud.turn import Deletion, Reach
from uplink.message import Directive
from wakeword.sound import RATE

_CALLED: dict[Reach, str] = {"audio": "audio", "transcripts": "transcript", "messages": "messages"}
"""What each reach is called where it is told."""


@dataclass(frozen=True)
class Deleted:
    """What went, and what the profile did not reach: `clips` are pairs of device and clip, in order."""

    asked: str
    clips: tuple[tuple[str, str], ...]
    what: tuple[str, ...]
    kept: tuple[str, ...]

    def fact(self) -> Fact:
        """What is told of it."""
        clips = [clip for _, clip in self.clips]
        return Fact("deleted", {"clip": self.asked, "clips": [*clips], "what": [*self.what], "kept": [*self.kept]})

    def directives(self) -> tuple[Directed, ...]:
        """Have the devices forget what may still wait in their spools."""
        if _CALLED["audio"] not in self.what:
            return ()
        return tuple(Directed(device, Directive("DeleteClip", clip)) for device, clip in self.clips)


def carry_out(session: Session, deletion: Deletion, devices: Sequence[str] = ()) -> Deleted:
    """Delete rows within a transaction, and note which files have to go: `Sweeper.sweep` removes those afterwards.

    devices: whose clips are meant where a whole day is; none takes the one that was spoken to. The same again changes
    nothing. A clip of which parts are still to come counts too, and so does the one in which it was asked.
    """
    rows = _chosen(session, deletion, devices or (deletion.device,))
    what = tuple(_CALLED[reach] for reach in _CALLED if reach in deletion.reaches)
    for row in rows:
        _delete(session, row.device, row.id, what, deletion.clip)
        if "transcript" in what:
            outbox.forget(session, row.device, row.id)
    kept = tuple(name for name in _CALLED.values() if name not in what)
    return Deleted(deletion.clip, tuple((row.device, row.id) for row in rows), what, kept)


def is_deleted(session: Session, clip: str, what: str = "audio") -> bool:
    """Whether a customer had this of a clip deleted: nothing that comes later may be kept."""
    row = session.get(DeletedRow, clip)
    return row is not None and what in row.what


class Sweeper:
    """Removes the files of what was deleted, also what an earlier run left; raises StoreAwayError."""

    def __init__(self, database: Database, files: Files) -> None:
        self._database, self._files = database, files

    def sweep(self) -> int:
        """Remove them, and say of how many clips."""
        with self._database.reading() as session:
            rows = session.scalars(select(DeletedRow).where(~DeletedRow.swept).order_by(DeletedRow.clip)).all()
            clips = [(row.device, row.clip, tuple(row.what)) for row in rows]
        for device, clip, what in clips:
            if "audio" in what:
                self._files.erase(f"audio/{device}/{clip}")
            if "messages" in what:
                self._files.erase(outbox.folder(device, clip))
            with self._database.writing() as session:
                row = session.get(DeletedRow, clip, with_for_update=True)
                if row is not None and tuple(row.what) == what:
                    row.swept = True
        return len(clips)


def _chosen(session: Session, deletion: Deletion, devices: Sequence[str]) -> list[ClipRow]:
    """The clips that are meant, locked, in the order of their ids."""
    rows = select(ClipRow).order_by(ClipRow.id)
    if deletion.scope == "today":
        found = session.scalars(rows.where(ClipRow.device.in_(devices)).with_for_update()).all()
        zone, day = deletion.at.tzinfo, deletion.at.date()
        times = {row.id: _utc(session, row.id) for row in found}
        return [row for row in found if (at := times[row.id]) is None or at.astimezone(zone).date() == day]
    last: list[ClipRow] = []
    own = session.scalars(rows.where(ClipRow.device == deletion.device, ClipRow.id <= deletion.clip).with_for_update())
    for row in reversed(own.all()):
        last.append(row)
        if row.id != deletion.clip and _opening(session, row.id).get("initiator") != "expect_speech":
            break
    return last[::-1]


def _opening(session: Session, clip: str) -> dict[str, object]:
    part = session.get(PartRow, (clip, 0))
    return {} if part is None else part.facts


def _utc(session: Session, clip: str) -> datetime | None:
    """When a clip began; None where its opening has not come, or does not say."""
    part = session.scalars(select(PartRow).where(PartRow.clip == clip).order_by(PartRow.number).limit(1)).first()
    said = _opening(session, clip).get("utc")
    if part is None or not isinstance(said, str):
        return None
    try:
        anchor = datetime.fromisoformat(said)
    except ValueError:
        return None
    anchor = anchor if anchor.tzinfo else anchor.replace(tzinfo=UTC)
    return anchor + timedelta(seconds=part.begin / RATE)


def _delete(session: Session, device: str, clip: str, what: tuple[str, ...], asked: str) -> None:
    before = session.get(DeletedRow, clip)
    if before is None:
        session.add(DeletedRow(clip=clip, device=device, asked=asked, what=[*what], swept=False))
    elif not set(what) <= set(before.what):
        before.what = [name for name in _CALLED.values() if name in {*what, *before.what}]
        before.swept = False
    if "messages" in what:
        session.execute(delete(MessageRow).where(MessageRow.clip == clip))
    if "transcript" in what:
        session.execute(delete(TranscriptRow).where(TranscriptRow.clip == clip))
    if "audio" in what:
        session.execute(delete(TurnRow).where(TurnRow.clip == clip))  # there is nothing to listen to any more
    if {"audio", "transcript"} <= set(what):
        session.execute(delete(PartRow).where(PartRow.clip == clip))
        session.execute(delete(ClipRow).where(ClipRow.id == clip))
