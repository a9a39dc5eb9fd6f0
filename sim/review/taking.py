"""How a task becomes somebody's, so that no other has it too, among any number of threads and programs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session, aliased

from sim.cloud.schema import AuditRow, ClipRow, CustomerRow, DeletedRow, TaskRow, stamp
from sim.review.policy import QUEUES, Queue, ReviewPolicy
from sim.review.sampling import withdraw


def fall_back(session: Session, policy: ReviewPolicy, now: datetime) -> None:
    """Open again what was taken and not ended in time, within a transaction."""
    late = select(TaskRow.id).where(
        TaskRow.state == "taken", TaskRow.policy == policy.name, TaskRow.taken_until < stamp(now)
    )
    ids = list(session.scalars(late.order_by(TaskRow.id).with_for_update(skip_locked=True)))
    if ids:
        fell = update(TaskRow).where(TaskRow.id.in_(ids))
        session.execute(fell.values(state="open", annotator=None, taken_until=None))


def held_by(session: Session, policy: ReviewPolicy, annotator: str, besides: Collection[str]) -> TaskRow | None:
    """Give what somebody took first and still has, within a transaction."""
    rows = (
        select(TaskRow)
        .where(TaskRow.state == "taken", TaskRow.annotator == annotator, TaskRow.policy == policy.name)
        .order_by(TaskRow.taken_until, TaskRow.id)
    )
    for row in session.scalars(rows).all():
        if row.id in besides:
            continue
        if is_open_to(session, policy, row.clip):
            return row
        withdraw(session, row.clip)
    return None


def take(session: Session, policy: ReviewPolicy, annotator: str, now: datetime) -> TaskRow | None:
    """Give somebody the next task that is open, and is theirs when the transaction ends."""
    passed: list[str] = []
    for queue in QUEUES:
        while (row := _next(session, policy, queue, annotator, passed)) is not None:
            # The locks are ours now, so what these queries see stays so. What chose the row may have seen less.
            if not is_open_to(session, policy, row.clip):
                withdraw(session, row.clip)
            elif session.execute(select(_has_copy(annotator, row.clip, policy))).scalar():
                passed.append(row.id)
            else:
                row.state, row.annotator = "taken", annotator
                row.taken_until = stamp(now + timedelta(minutes=policy.take_minutes))
                return row
    return None


def is_open_to(session: Session, policy: ReviewPolicy, clip: str) -> bool:
    """Whether people may listen to a clip under a policy, as things stand now."""
    if session.get(DeletedRow, clip) is not None:
        return False
    found = session.execute(
        select(CustomerRow.choice)
        .select_from(ClipRow)
        .join(CustomerRow, CustomerRow.number == ClipRow.customer, isouter=True)
        .where(ClipRow.id == clip)
    ).first()
    return found is not None and policy.refusal(found.choice) is None


def _next(
    session: Session, policy: ReviewPolicy, queue: Queue, annotator: str, passed: Collection[str]
) -> TaskRow | None:
    skipped = exists().where(AuditRow.clip == TaskRow.clip, AuditRow.who == annotator, AuditRow.action == "skip")
    rows = (
        select(TaskRow)
        # Its clip is locked too: so two who take the copies of one clip come one after the other.
        .join(ClipRow, ClipRow.id == TaskRow.clip)
        .where(TaskRow.state == "open", TaskRow.queue == queue, TaskRow.policy == policy.name)
        .where(~_has_copy(annotator, TaskRow.clip, policy), ~skipped)
        .order_by(TaskRow.id)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True, of=(TaskRow, ClipRow))
        .execution_options(populate_existing=True)
    )
    if passed:
        rows = rows.where(TaskRow.id.not_in(passed))
    return session.scalars(rows).first()


def _has_copy(annotator: str, clip: object, policy: ReviewPolicy) -> ColumnElement[bool]:
    other = aliased(TaskRow)
    return exists().where(other.clip == clip, other.annotator == annotator, other.policy == policy.name)
