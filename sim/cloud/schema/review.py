"""What people do with clips: tasks, annotations, what was too much for one, the log of it all, and exports."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sim.cloud.schema.base import Base


class TaskRow(Base):
    """A clip that was drawn for somebody to listen to.

    id: a random handle. copy: 0, or 1 for the second who annotates the same. chance: how likely the draw was.
    queue: "false-wakes", "low-confidence", "general". state: "open", "taken", "done", "withdrawn".
    """

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("clip", "copy", "policy"),
        Index("ix_tasks_state_queue", "state", "queue", "id"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    clip: Mapped[str] = mapped_column(index=True)
    copy: Mapped[int]
    policy: Mapped[str]
    reason: Mapped[str]
    chance: Mapped[float]
    queue: Mapped[str]
    state: Mapped[str]
    annotator: Mapped[str | None] = mapped_column(index=True)
    taken_until: Mapped[str | None]


class AnnotationRow(Base):
    """What somebody heard in a clip; seconds: how long that took, listens: how often it was played.

    addressed: to the device. kind: "mundane", "upsetting", "criminal".
    """

    __tablename__ = "annotations"
    task: Mapped[str] = mapped_column(ForeignKey("tasks.id"), primary_key=True)
    clip: Mapped[str] = mapped_column(index=True)
    annotator: Mapped[str] = mapped_column(index=True)
    utc: Mapped[str]
    transcript: Mapped[str]
    addressed: Mapped[bool | None]
    wake_word: Mapped[bool | None]
    kind: Mapped[str]
    language: Mapped[str]
    speakers: Mapped[int]
    seconds: Mapped[float]
    listens: Mapped[int]


class EscalationRow(Base):
    """Something distressing that was reported; state: "declined", "open", "resolved"."""

    __tablename__ = "escalations"
    id: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str]
    clip: Mapped[str] = mapped_column(index=True)
    annotator: Mapped[str]
    utc: Mapped[str]
    why: Mapped[str]
    procedure: Mapped[str]
    assignee: Mapped[str | None]
    deadline: Mapped[str | None]
    state: Mapped[str] = mapped_column(index=True)
    resolved_utc: Mapped[str | None]
    note: Mapped[str]


class AuditRow(Base):
    """An entry of the log: numbers 1, 2, 3 without a gap, each with the hash of the one before.

    signature: the far end's, of the hash.
    """

    __tablename__ = "audit"
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    utc: Mapped[str]
    who: Mapped[str]
    role: Mapped[str]
    action: Mapped[str]
    clip: Mapped[str | None] = mapped_column(index=True)
    customer: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    before: Mapped[str]
    hash: Mapped[str]
    signature: Mapped[str]


class ExportRow(Base):
    """A training set that was written out, and under which licence and consent."""

    __tablename__ = "exports"
    id: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str]
    utc: Mapped[str]
    licence: Mapped[str]
    consent: Mapped[str]


class ExportFileRow(Base):
    """A file of a training set; its path is relative to the set."""

    __tablename__ = "export_files"
    export: Mapped[str] = mapped_column(ForeignKey("exports.id"), primary_key=True)
    file: Mapped[str] = mapped_column(primary_key=True)
    clip: Mapped[str] = mapped_column(index=True)
