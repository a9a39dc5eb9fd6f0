"""The far end's tables. In those of clips and parts, times are sample indices; elsewhere UTC, written by `stamp`."""

from __future__ import annotations

from sim.cloud.schema.accounts import AccountRow, AttemptRow, SessionRow
from sim.cloud.schema.base import Base, stamp
from sim.cloud.schema.clips import (
    ClipRow,
    CounterRow,
    HouseholdRow,
    MessageRow,
    PartRow,
    SituationRow,
    TranscriptRow,
    TurnRow,
)
from sim.cloud.schema.customers import CustomerRow, DeviceRow
from sim.cloud.schema.deletions import DeletedRow, DeletionPlaceRow, DeletionRow, SpanRow
from sim.cloud.schema.review import AnnotationRow, AuditRow, EscalationRow, ExportFileRow, ExportRow, TaskRow

__all__ = [
    "AccountRow",
    "AnnotationRow",
    "AttemptRow",
    "AuditRow",
    "Base",
    "ClipRow",
    "CounterRow",
    "CustomerRow",
    "DeletedRow",
    "DeletionPlaceRow",
    "DeletionRow",
    "DeviceRow",
    "EscalationRow",
    "ExportFileRow",
    "ExportRow",
    "HouseholdRow",
    "MessageRow",
    "PartRow",
    "SessionRow",
    "SituationRow",
    "SpanRow",
    "TaskRow",
    "TranscriptRow",
    "TurnRow",
    "stamp",
]
