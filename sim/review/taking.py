"""How a task becomes somebody's, so that no other has it too, among any number of threads and programs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import String, bindparam, exists, select, update
from sqlalchemy.orm import Session, aliased

from sim.cloud.database import rows_of
from sim.cloud.schema import AuditRow, ClipRow, CustomerRow, DeletedRow, TaskRow, stamp
from sim.review.policy import QUEUES, ReviewPolicy
from sim.review.sampling import withdraw

_OTHER = aliased(TaskRow)
_WHO, _POLICY, _CLIP = (bindparam(name, type_=String) for name in ("who", "policy", "clip"))
_LATE = (
    select(TaskRow.id)
    .where(TaskRow.state == "taken", TaskRow.policy == _POLICY, TaskRow.taken_until < bindparam("now"))
    .order_by(TaskRow.id)
    .with_for_update(skip_locked=True)
)
_HELD = (
    select(TaskRow)
    .where(TaskRow.state == "taken", TaskRow.annotator == _WHO, TaskRow.policy == _POLICY)
    .order_by(TaskRow.taken_until, TaskRow.id)
)
_NEXT = (
    select(TaskRow)
    # Its clip is locked too: so two who take the copies of one clip come one after the other.
    .join(ClipRow, ClipRow.id == TaskRow.clip)
    .where(TaskRow.state == "open", TaskRow.queue == bindparam("queue"), TaskRow.policy == _POLICY)
    .where(TaskRow.id.not_in(bindparam("passed", expanding=True)))
    .where(~exists().where(_OTHER.clip == TaskRow.clip, _OTHER.annotator == _WHO, _OTHER.policy == _POLICY))
    .where(~exists().where(AuditRow.clip == TaskRow.clip, AuditRow.who == _WHO, AuditRow.action == "skip"))
    .order_by(TaskRow.id)
    .limit(1)
    .with_for_update(skip_locked=True, key_share=True, of=(TaskRow, ClipRow))
    .execution_options(populate_existing=True)
)
_COPY = select(TaskRow.id).where(TaskRow.clip == _CLIP, TaskRow.annotator == _WHO, TaskRow.policy == _POLICY)
_DELETED = select(DeletedRow.clip).where(DeletedRow.clip == _CLIP)
_CHOICE = (
    select(CustomerRow.choice)
    .select_from(ClipRow)
    .join(CustomerRow, CustomerRow.number == ClipRow.customer, isouter=True)
    .where(ClipRow.id == _CLIP)
)


def fall_back(session: Session, policy: ReviewPolicy, now: datetime) -> None:
    """Open again what was taken and not ended in time, within a transaction."""
    ids = list(session.scalars(_LATE, {"policy": policy.name, "now": stamp(now)}))
    if ids:
        fell = update(TaskRow).where(TaskRow.id.in_(ids))
        session.execute(fell.values(state="open", annotator=None, taken_until=None))


def held_by(session: Session, policy: ReviewPolicy, annotator: str, besides: Collection[str]) -> TaskRow | None:
    """Give what somebody took first and still has, within a transaction."""
    for row in rows_of(session, _HELD, {"who": annotator, "policy": policy.name}):
        if row.id in besides:
            continue
        if is_open_to(session, policy, row.clip):
            return row
        withdraw(session, row.clip)
    return None


def take(session: Session, policy: ReviewPolicy, annotator: str, now: datetime) -> TaskRow | None:
    """Give somebody the next task that is open, and is theirs when the transaction ends."""
    whose = {"who": annotator, "policy": policy.name}
    passed: list[str] = []
    for queue in QUEUES:
        while (row := session.scalars(_NEXT, {**whose, "queue": queue, "passed": passed}).first()) is not None:
            # The locks are ours now, so what these queries see stays so. What chose the row may have seen less.
            if not is_open_to(session, policy, row.clip):
                withdraw(session, row.clip)
            elif session.execute(_COPY, {**whose, "clip": row.clip}).first() is not None:
                passed.append(row.id)
            else:
                row.state, row.annotator = "taken", annotator
                row.taken_until = stamp(now + timedelta(minutes=policy.take_minutes))
                return row
    return None


def is_open_to(session: Session, policy: ReviewPolicy, clip: str) -> bool:
    """Whether people may listen to a clip under a policy, as things stand now."""
    if session.execute(_DELETED, {"clip": clip}).first() is not None:
        return False
    found = session.execute(_CHOICE, {"clip": clip}).first()
    return found is not None and policy.refusal(found.choice) is None
