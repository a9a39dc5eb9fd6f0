"""Deleting for real, the first half: which clips an order means, and the rows of theirs that go, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from sim.cloud import outbox
from sim.cloud.answer import Directed, Fact
from sim.cloud.database import rows_of
from sim.cloud.order import Order
from sim.cloud.schema import (
    AnnotationRow,
    AuditRow,
    Base,
    ClipRow,
    CustomerRow,
    DeletedRow,
    DeviceRow,
    EscalationRow,
    ExportFileRow,
    MessageRow,
    PartRow,
    TaskRow,
    TranscriptRow,
    TurnRow,
    stamp,
)
from sim.cloud.turn import Reach
from uplink.message import Directive

CALLED: dict[Reach, str] = {"audio": "audio", "transcripts": "transcript", "messages": "messages"}
"""What each reach is called where it is told and in the row of a deleted clip; the others are in the order alone."""

SPOOL_DAYS = 30
"""A whole clip from before may be in no spool any more: that is how long a device keeps one (`uplink.spool_days`)."""

_CHUNK = 500
"""Clips of one statement."""
_PLAIN = {"synchronize_session": False}
_COUNTED = {
    "transcripts": TranscriptRow.clip,
    "messages": MessageRow.clip,
    "turns": TurnRow.clip,
    "tasks": TaskRow.clip,
    "annotations": AnnotationRow.clip,
    "escalations": EscalationRow.clip,
    "exports": ExportFileRow.clip,
}
"""By place: where the clip is named."""


@dataclass(frozen=True)
class Chosen:
    """A clip that is meant."""

    device: str
    id: str
    complete: bool
    utc: str


@dataclass(frozen=True)
class Deleted:
    """What went, and what the profile did not reach: `clips` are pairs of device and clip, in order."""

    id: str
    asked: str
    clips: tuple[tuple[str, str], ...]
    what: tuple[str, ...]
    kept: tuple[str, ...]

    @classmethod
    def of(cls, order: Order, clips: Sequence[tuple[str, str]]) -> Deleted:
        """What an order is told as."""
        what = tuple(name for reach, name in CALLED.items() if reach in order.reaches)
        return cls(order.id, order.clip, tuple(clips), what, tuple(n for n in CALLED.values() if n not in what))

    def fact(self) -> Fact:
        """What is told of it."""
        clips = [clip for _, clip in self.clips]
        return Fact("deleted", {"clip": self.asked, "clips": [*clips], "what": [*self.what], "kept": [*self.kept]})

    def directives(self) -> tuple[Directed, ...]:
        """Have the devices forget what may still wait in their spools."""
        if CALLED["audio"] not in self.what:
            return ()
        return tuple(Directed(device, Directive("DeleteClip", clip)) for device, clip in self.clips)


@dataclass
class Removed:
    """What an order found: how much of each kind, who listened, how many clips may be in spools."""

    found: dict[str, int]
    listeners: set[str]
    spools: int


def is_deleted(session: Session, clip: str, what: str = "audio") -> bool:
    """Whether a customer had this of a clip deleted: nothing that comes later may be kept."""
    row = session.get(DeletedRow, clip)
    return row is not None and what in row.what


def customer_of(session: Session, order: Order) -> str:
    """Whose order it is."""
    if order.customer or not order.devices:
        return order.customer
    device = session.get(DeviceRow, order.devices[0])
    return "" if device is None else device.customer


def choose(session: Session, order: Order, customer: str) -> list[Chosen]:
    """Give the clips that are meant, locked, in the order of their ids.

    A clip of which parts are still to come counts too, and so does the one in which it was asked, and one that nobody
    knows the time of, where a whole day is meant.
    """
    rows = select(ClipRow.device, ClipRow.id, ClipRow.complete, ClipRow.utc).order_by(ClipRow.id).with_for_update()
    if order.scope == "last":
        return _last(session, order)
    if order.devices:
        # Of a device that was another's before, what was recorded then is his.
        own = select(DeviceRow.customer).where(DeviceRow.name.in_(order.devices))
        rows = rows.where(ClipRow.device.in_(order.devices), or_(ClipRow.customer.in_(own), ClipRow.customer == ""))
    else:
        rows = rows.where(ClipRow.customer == customer)
    if order.scope == "clip":
        rows = rows.where(ClipRow.id == order.clip)
    elif order.scope != "all":
        begin, end = order.span or ("", "")
        within: ColumnElement[bool] = (ClipRow.utc >= begin) & (ClipRow.utc < end)
        rows = rows.where(within if order.scope == "expired" else or_(within, ClipRow.utc == ""))
    return [Chosen(*row) for row in session.execute(rows)]


def take_key(session: Session, order: Order, customer: str) -> list[str]:
    """Shut out whoever adds to the customer's clips, until the transaction ends; gives the keys that are to go.

    A key goes with all that it closes.
    """
    row = session.get(CustomerRow, customer, with_for_update=True)
    everything = order.scope == "all" and not order.devices and {"audio", "messages"} <= set(order.reaches)
    if row is None or row.key is None or not everything:
        return []
    key, row.key = row.key, None
    session.flush()
    return [key]


def remove(session: Session, order: Order, clips: Sequence[Chosen]) -> Removed:
    """Delete rows, and note which files have to go; the same again changes nothing."""
    removed = Removed(dict.fromkeys(("audio", "dialog", *_COUNTED), 0), set(), 0)
    for at in range(0, len(clips), _CHUNK):
        chunk = clips[at : at + _CHUNK]
        ids = [clip.id for clip in chunk]
        for name, column in _COUNTED.items():
            removed.found[name] += session.scalars(select(func.count()).where(column.in_(ids))).one()
        wrote = select(AnnotationRow.annotator).where(AnnotationRow.clip.in_(ids))
        # Customers who listen to themselves are no others.
        heard = select(AuditRow.who).where(
            AuditRow.clip.in_(ids), AuditRow.action == "listen", AuditRow.role != "customer"
        )
        for people in (wrote, heard):
            removed.listeners |= set(session.scalars(people.distinct()))
        _note(session, order, chunk, removed)
        _remove_rows(session, order.reaches, ids)
    if "transcripts" in order.reaches:
        for device in sorted({clip.device for clip in clips}):
            gone = {clip.id for clip in clips if clip.device == device}
            removed.found["dialog"] += outbox.forget(session, device, gone)
    return removed


def _last(session: Session, order: Order) -> list[Chosen]:
    """The turn before, all its clips, and the clip in which it was asked."""
    (device,) = order.devices
    rows = select(ClipRow.device, ClipRow.id, ClipRow.complete, ClipRow.utc).where(ClipRow.device == device)
    found: list[Chosen] = []
    for row in session.execute(rows.where(ClipRow.id <= order.clip).order_by(ClipRow.id.desc()).limit(_CHUNK)):
        found.append(Chosen(*row))
        opening = session.get(PartRow, (row.id, 0))
        initiator = None if opening is None else opening.facts.get("initiator")
        if row.id != order.clip and initiator != "expect_speech":
            break
    locked = [each.id for each in found]
    session.execute(select(ClipRow.id).where(ClipRow.id.in_(locked)).order_by(ClipRow.id).with_for_update())
    return found[::-1]


def _note(session: Session, order: Order, clips: Sequence[Chosen], removed: Removed) -> None:
    """Note that nothing of these clips may come back."""
    what = [name for reach, name in CALLED.items() if reach in order.reaches]
    rows = select(DeletedRow).where(DeletedRow.clip.in_([clip.id for clip in clips]))
    before = {row.clip: row for row in rows_of(session, rows)}
    recent = stamp(order.at - timedelta(days=SPOOL_DAYS))
    new = []
    for clip in clips:
        row = before.get(clip.id)
        removed.found["audio"] += row is None or "audio" not in row.what
        spool = ""
        if "audio" in what and (order.by == "voice" or not clip.complete or clip.utc >= recent):
            spool = "told" if order.by == "voice" else "waiting"  # with the answer the device is told
            removed.spools += 1
        if row is None:
            facts = {"clip": clip.id, "device": clip.device, "asked": order.id}
            new.append({**facts, "what": what, "swept": False, "spool": spool})
        elif not set(what) <= set(row.what):
            row.what = [name for name in CALLED.values() if name in {*what, *row.what}]
            row.asked, row.swept, row.spool = order.id, False, row.spool or spool
    if new:
        session.execute(insert(DeletedRow), new)
    session.flush()


def _remove_rows(session: Session, reaches: Sequence[Reach], ids: Sequence[str]) -> None:
    def go(row: type[Base], column: Any) -> None:
        session.execute(delete(row).where(column.in_(ids)), execution_options=_PLAIN)

    if "annotations" in reaches:
        go(AnnotationRow, AnnotationRow.clip)
        # That there was something distressing stays on record, and nothing of what it was.
        told = update(EscalationRow).where(EscalationRow.clip.in_(ids)).values(why="", note="")
        session.execute(told, execution_options=_PLAIN)
    if "messages" in reaches:
        go(MessageRow, MessageRow.clip)
    if "transcripts" in reaches:
        go(TranscriptRow, TranscriptRow.clip)
    if "audio" in reaches:
        go(TurnRow, TurnRow.clip)  # there is nothing to listen to any more
        written = select(AnnotationRow.task)
        tasks = delete(TaskRow).where(
            TaskRow.clip.in_(ids), TaskRow.id.not_in(written.where(AnnotationRow.clip.in_(ids)))
        )
        session.execute(tasks, execution_options=_PLAIN)
    if {"audio", "transcripts"} <= set(reaches):
        go(PartRow, PartRow.clip)
        go(ClipRow, ClipRow.id)
