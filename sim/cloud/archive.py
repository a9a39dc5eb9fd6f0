"""What there is of a customer's clips, page by page, the newest first, however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Executable, Integer, bindparam, select, tuple_
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


_NEWEST = (
    select(ClipRow.id, ClipRow.device, ClipRow.utc, ClipRow.complete)
    .where(ClipRow.customer == bindparam("number"))
    .order_by(ClipRow.utc.desc(), ClipRow.id.desc())
    .limit(bindparam("limit", type_=Integer))
)
_BEFORE = _NEWEST.where(tuple_(ClipRow.utc, ClipRow.id) < tuple_(bindparam("utc"), bindparam("id")))
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_LISTENED = AuditRow.clip.in_(_IDS), AuditRow.action == "listen", AuditRow.role != "customer"
# Made once: to put them together costs as much as to ask them.
_ABOUT: Mapping[str, Executable] = {
    "facts": select(PartRow.clip, PartRow.facts).where(PartRow.clip.in_(_IDS), PartRow.number == 0),
    "said": select(TranscriptRow.clip, TranscriptRow.text).where(TranscriptRow.clip.in_(_IDS)),
    "deleted": select(DeletedRow.clip, DeletedRow.what).where(DeletedRow.clip.in_(_IDS)),
    "sent": select(MessageRow.clip, MessageRow.recipient).where(MessageRow.clip.in_(_IDS)).order_by(MessageRow.id),
    "heard": select(AuditRow.clip, AuditRow.who, AuditRow.details).where(*_LISTENED),
    "tasks": select(TaskRow.clip).where(TaskRow.clip.in_(_IDS), TaskRow.state.in_(("open", "taken", "done"))),
    "annotations": select(AnnotationRow.clip).where(AnnotationRow.clip.in_(_IDS)),
    "exports": select(ExportFileRow.clip).where(ExportFileRow.clip.in_(_IDS)),
}


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
    where: dict[str, object] = {"number": number, "limit": limit}
    if before is None:
        clips = session.execute(_NEWEST, where).all()
    else:
        clips = session.execute(_BEFORE, {**where, "utc": before[0], "id": before[1]}).all()
    if not clips:
        return []
    ids = [clip.id for clip in clips]
    found = {name: session.execute(statement, {"ids": ids}).all() for name, statement in _ABOUT.items()}
    facts, said = ({row[0]: row[1] for row in found[name]} for name in ("facts", "said"))
    silent = {row[0] for row in found["deleted"] if "audio" in row[1]}
    sent = _gathered((row[0], row[1]) for row in found["sent"])
    heard = _gathered((row[0], (row[1], str(row[2].get("policy", "")))) for row in found["heard"])
    tasks, annotations, exports = (Counter(row[0] for row in found[n]) for n in ("tasks", "annotations", "exports"))
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
            tasks=tasks[clip.id],
            annotations=annotations[clip.id],
            exports=exports[clip.id],
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
