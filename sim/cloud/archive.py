"""What there is of a customer's clips, page by page, the newest first, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.orm import Session

from sim.cloud.schema import (
    AnnotationRow,
    AuditRow,
    ClipRow,
    DeletedRow,
    ExportFileRow,
    MessageRow,
    PartRow,
    TaskRow,
    TranscriptRow,
)
from uplink.message import JSON

Value = TypeVar("Value")


@dataclass(frozen=True)
class Kept:
    """A clip as its customer may see it: where each copy is, who was sent it, how many listened and how often.

    utc: when it began; empty where nobody knows. opening: why the device woke. sound: whether it is still there.
    listeners, listens: of other people, under these policies.
    """

    id: str
    device: str
    utc: str
    complete: bool
    opening: Mapping[str, JSON]
    sound: bool
    transcript: str | None
    sent_to: tuple[str, ...]
    tasks: int
    annotations: int
    exports: int
    listeners: int
    listens: int
    policies: tuple[str, ...]

    @property
    def copies(self) -> tuple[str, ...]:
        """Where something of it is."""
        places = {
            "the archive": self.sound,
            "transcripts": self.transcript is not None,
            "the review desk": self.tasks > 0,
            "annotations": self.annotations > 0,
            "training sets": self.exports > 0,
        }
        return (*(name for name, there in places.items() if there), *(f"message to {to}" for to in self.sent_to))

    @property
    def mark(self) -> tuple[str, str]:
        """Where the page before ended, for the next one."""
        return self.utc, self.id


def customer_clips(session: Session, number: str, before: tuple[str, str] | None = None, limit: int = 50) -> list[Kept]:
    """Give a page of a customer's clips, the newest first; `before` is the `mark` of the last one seen."""
    rows = select(ClipRow.id, ClipRow.device, ClipRow.utc, ClipRow.complete).where(ClipRow.customer == number)
    if before is not None:
        rows = rows.where(tuple_(ClipRow.utc, ClipRow.id) < tuple_(*before))
    clips = session.execute(rows.order_by(ClipRow.utc.desc(), ClipRow.id.desc()).limit(limit)).all()
    ids = [clip.id for clip in clips]
    if not ids:
        return []

    def of(column: Any, *more: Any) -> Sequence[Row[Any]]:
        return session.execute(select(column, *more).where(column.in_(ids))).all()

    def counted(column: Any, *which: Any) -> dict[str, int]:
        found = select(column, func.count()).where(column.in_(ids), *which).group_by(column)
        return {row[0]: row[1] for row in session.execute(found)}

    opening = select(PartRow.clip, PartRow.facts).where(PartRow.clip.in_(ids), PartRow.number == 0)
    facts = {row.clip: row.facts for row in session.execute(opening)}
    silent = {row.clip for row in of(DeletedRow.clip, DeletedRow.what) if "audio" in row.what}
    said = {row.clip: row.text for row in of(TranscriptRow.clip, TranscriptRow.text)}
    sent = _gathered((row.clip, row.recipient) for row in of(MessageRow.clip, MessageRow.recipient))
    listened = select(AuditRow.clip, AuditRow.who, AuditRow.details).where(
        AuditRow.clip.in_(ids), AuditRow.action == "listen", AuditRow.role != "customer"
    )
    heard = _gathered((row.clip, (row.who, str(row.details.get("policy", "")))) for row in session.execute(listened))
    tasks = counted(TaskRow.clip, TaskRow.state.in_(("open", "taken", "done")))
    annotations, exports = counted(AnnotationRow.clip), counted(ExportFileRow.clip)
    return [
        Kept(
            id=clip.id,
            device=clip.device,
            utc=clip.utc,
            complete=clip.complete,
            opening=facts.get(clip.id, {}),
            sound=clip.id not in silent,
            transcript=said.get(clip.id),
            sent_to=tuple(sent.get(clip.id, ())),
            tasks=tasks.get(clip.id, 0),
            annotations=annotations.get(clip.id, 0),
            exports=exports.get(clip.id, 0),
            listeners=len({who for who, _ in heard.get(clip.id, ())}),
            listens=len(heard.get(clip.id, ())),
            policies=tuple(sorted({policy for _, policy in heard.get(clip.id, ()) if policy})),
        )
        for clip in clips
    ]


def customer_of(session: Session, clip: str) -> str | None:
    """Give whose a clip is; None where there is no such clip."""
    return session.scalars(select(ClipRow.customer).where(ClipRow.id == clip)).first()


def _gathered(pairs: Iterable[tuple[str, Value]]) -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
