"""What was too much for somebody who listened: recorded whatever the procedure is, until a lead has resolved it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from sim.cloud.database import rows_of
from sim.cloud.schema import EscalationRow, stamp
from sim.errors import ReviewError
from sim.review.policy import ReviewPolicy

_LONGEST = 2_000


@dataclass(frozen=True)
class Escalation:
    """A report of distress; `state` is "declined" where the procedure is that it is nobody's job.

    overdue: it is open, and its deadline has passed. deadline and times are UTC, as `stamp` writes them.
    """

    id: str
    task: str
    clip: str
    annotator: str
    utc: str
    why: str
    procedure: str
    assignee: str | None
    deadline: str | None
    state: Literal["declined", "open", "resolved"]
    resolved_utc: str | None
    note: str
    overdue: bool


def report(
    session: Session,
    policy: ReviewPolicy,
    *,
    handle: Callable[[], str],
    task: str,
    clip: str,
    annotator: str,
    why: str,
    now: datetime,
) -> str:
    """Record what somebody reports, within a transaction; gives what the procedure has to say to them."""
    distress = policy.distress
    deadline = None if distress is None else stamp(now + timedelta(hours=distress.deadline_h))
    name = handle()
    while session.get(EscalationRow, name) is not None:  # a generator of the same seed gave it in an earlier run
        name = handle()
    session.add(
        EscalationRow(
            id=name,
            task=task,
            clip=clip,
            annotator=annotator,
            utc=stamp(now),
            why=why.replace("\0", "")[:_LONGEST],
            procedure=policy.procedure,
            assignee=None if distress is None else distress.assignee,
            deadline=deadline,
            state="declined" if distress is None else "open",
            resolved_utc=None,
            note="",
        )
    )
    if distress is None or deadline is None:
        return "It is not our job to interfere; it is written down that you reported it, and nobody will look into it."
    return f"{distress.assignee} looks into it, until {deadline[:16]} UTC; it is written down that you reported it."


def all_of(session: Session, now: datetime) -> list[Escalation]:
    """Give every report: what is open first, by its deadline, then the others, by when they came."""
    rank = case((EscalationRow.state == "open", 0), else_=1)
    rows = rows_of(session, select(EscalationRow).order_by(rank, EscalationRow.deadline, EscalationRow.utc))
    return [_escalation(row, stamp(now)) for row in rows]


def resolve(session: Session, escalation: str, note: str, now: datetime) -> Escalation:
    """Close an open report with a note, within a transaction; raises ReviewError where that cannot be."""
    row = session.get(EscalationRow, escalation, with_for_update=True)
    if row is None:
        raise ReviewError(f"there is no escalation {escalation}; list them with: misheard review escalations")
    if row.state == "declined":
        raise ReviewError(f"escalation {escalation} was declined ({row.procedure}); there is nothing to resolve")
    if row.state == "resolved":
        raise ReviewError(f"escalation {escalation} was resolved already")
    if not note.strip():
        raise ReviewError("say in the note what was done; an escalation is not resolved without one")
    row.state, row.resolved_utc, row.note = "resolved", stamp(now), note.replace("\0", "")[:_LONGEST]
    return _escalation(row, stamp(now))


def _escalation(row: EscalationRow, now: str) -> Escalation:
    state: Literal["declined", "open", "resolved"] = "open"
    if row.state == "declined":
        state = "declined"
    elif row.state == "resolved":
        state = "resolved"
    return Escalation(
        id=row.id,
        task=row.task,
        clip=row.clip,
        annotator=row.annotator,
        utc=row.utc,
        why=row.why,
        procedure=row.procedure,
        assignee=row.assignee,
        deadline=row.deadline,
        state=state,
        resolved_utc=row.resolved_utc,
        note=row.note,
        overdue=state == "open" and row.deadline is not None and row.deadline < now,
    )
