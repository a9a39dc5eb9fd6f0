"""The desk: who gets which clip, what they see and hear of it, and what they say of it. Everything is in the log."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from sim.cloud.database import rows_of
from sim.cloud.schema import AnnotationRow, AuditRow, ClipRow, EscalationRow, TaskRow, stamp
from sim.cloud.store import ClipStore
from sim.errors import ReviewError, TaskGoneError
from sim.review import distress
from sim.review.agreement import Agreement, cohen_kappa
from sim.review.audit import Audit
from sim.review.chain import Entry
from sim.review.distress import Escalation
from sim.review.labels import LABELS, Label, Labels
from sim.review.policy import QUEUES, Queue, ReviewPolicy
from sim.review.taking import fall_back, held_by, is_open_to, take
from sim.review.task import Draw, Pace, QueueState, Task
from sim.review.view import Shown, show
from uplink.message import JSON
from wakeword.sound import Samples

_SHIFT = timedelta(hours=9)
_LOOK_BACK = 1_000
_CUSTOMER = select(ClipRow.customer).where(ClipRow.id == bindparam("clip"))
_LISTENS = select(func.count()).where(
    AuditRow.clip == bindparam("clip"), AuditRow.who == bindparam("who"), AuditRow.action == "listen"
)


class Desk:
    """The tasks of one policy, for any number of threads and programs.

    now: aware UTC. chance: makes the handles of escalations. role: that of who annotates, as the log names it. Whoever
    calls sees to it that people are who they say. Methods raise ReviewError; StoreAwayError while there is no store.
    """

    def __init__(
        self,
        store: ClipStore,
        policy: ReviewPolicy,
        audit: Audit,
        now: Callable[[], datetime],
        chance: random.Random,
        *,
        role: str = "annotator",
    ) -> None:
        self.policy = policy
        self._store, self._audit, self._now, self._chance, self._role = store, audit, now, chance, role

    def next_task(self, annotator: str, besides: Collection[str] = ()) -> Task | None:
        """Give somebody a task, which is theirs until they submit or skip it, or it falls back; None without one.

        What they have taken already, and is not among `besides`, comes first: so nothing is left lying after a page was
        closed. Nobody else gets it meanwhile, and nobody gets both copies of a clip.
        """
        now = self._now()
        with self._store.database.writing() as session:
            fall_back(session, self.policy, now)
            row = held_by(session, self.policy, annotator, besides) or take(session, self.policy, annotator, now)
            if row is None:
                return None
            handle, queue, shown = row.id, _queue(row), self._view(session, row, annotator, now)
            clip = row.clip
        return self._task(handle, queue, clip, shown)

    def held(self, annotator: str) -> list[str]:
        """Give the handles of what somebody has taken, in the order in which it falls back."""
        rows = (
            select(TaskRow.id)
            .where(TaskRow.state == "taken", TaskRow.annotator == annotator, TaskRow.policy == self.policy.name)
            .order_by(TaskRow.taken_until, TaskRow.id)
        )
        with self._store.database.reading() as session:
            return list(session.scalars(rows))

    def task(self, task: str, annotator: str) -> Task:
        """Give a task that somebody has taken, once more; raises TaskGoneError where it is not theirs."""
        now = self._now()
        with self._store.database.writing() as session:
            row = self._taken(session, task, annotator)
            queue, clip, shown = _queue(row), row.clip, self._view(session, row, annotator, now)
        return self._task(task, queue, clip, shown)

    def sound(self, task: str, annotator: str) -> Samples:
        """Give the sound of a task that somebody has taken, int16[n] at 16 kHz: in the log before it is heard."""
        now = self._now()
        with self._store.database.writing() as session:
            row = self._taken(session, task, annotator)
            clip = row.clip
            self._append(session, annotator, "listen", clip, {"task": task}, now)
        return self._store.audio(clip)

    def submit(self, task: str, annotator: str, labels: Labels) -> None:
        """Keep what somebody says of a task they have taken, which is done then."""
        now = self._now()
        with self._store.database.writing() as session:
            row = self._taken(session, task, annotator)
            session.add(
                AnnotationRow(
                    task=task,
                    clip=row.clip,
                    annotator=annotator,
                    utc=stamp(now),
                    transcript=labels.transcript.replace("\0", ""),
                    addressed=labels.addressed,
                    wake_word=labels.wake_word,
                    kind=labels.kind,
                    language=labels.language,
                    speakers=labels.speakers,
                    seconds=self._seconds(row, now) if labels.seconds is None else labels.seconds,
                    listens=session.execute(_LISTENS, {"clip": row.clip, "who": annotator}).scalar_one(),
                )
            )
            row.state, row.taken_until = "done", None
            self._append(session, annotator, "label", row.clip, {"task": task}, now)

    def skip(self, task: str, annotator: str) -> None:
        """Give a task back for others; whoever skipped it does not get it, or its other copy, again."""
        now = self._now()
        with self._store.database.writing() as session:
            row = self._taken(session, task, annotator)
            row.state, row.annotator, row.taken_until = "open", None, None
            self._append(session, annotator, "skip", row.clip, {"task": task}, now)

    def distress(self, task: str, annotator: str, why: str) -> str:
        """Record that a clip was too much for somebody, and give what the procedure says to that.

        They may have it before them, or be done with it; it may have been withdrawn, deleted or taken away meanwhile:
        whoever has seen it can report it.
        """
        now = self._now()
        with self._store.database.writing() as session:
            clip = self._seen(session, task, annotator)
            answer = distress.report(
                session,
                self.policy,
                handle=lambda: f"{self._chance.getrandbits(64):016x}",
                task=task,
                clip=clip,
                annotator=annotator,
                why=why,
                now=now,
            )
            session.flush()
            self._append(session, annotator, "escalate", clip, {"task": task, "procedure": self.policy.procedure}, now)
        return answer

    def escalations(self) -> list[Escalation]:
        """Give every report of distress, what is open first, by its deadline."""
        with self._store.database.reading() as session:
            return distress.all_of(session, self._now())

    def resolve(self, escalation: str, lead: str, note: str) -> None:
        """Close a report with what was done; raises ReviewError where there is none that is open."""
        now = self._now()
        with self._store.database.writing() as session:
            done = distress.resolve(session, escalation, note, now)
            session.flush()
            self._append(session, lead, "resolve", done.clip, {"escalation": escalation}, now, role="lead")

    def escalated_sound(self, escalation: str, lead: str) -> Samples:
        """Give a lead the sound that somebody reported; it is in the log before it is heard."""
        now = self._now()
        with self._store.database.writing() as session:
            row = session.get(EscalationRow, escalation)
            if row is None or row.state != "open":
                raise ReviewError(f"there is no open escalation {escalation}")
            clip = row.clip
            self._append(session, lead, "listen", clip, {"escalation": escalation}, now, role="lead")
        return self._store.audio(clip)

    def pace(self, annotator: str) -> Pace:
        """Say how fast somebody is."""
        since = stamp(self._now() - _SHIFT)
        counted = select(func.count(), func.avg(AnnotationRow.seconds)).where(
            AnnotationRow.annotator == annotator, AnnotationRow.utc >= since
        )
        with self._store.database.reading() as session:
            done, mean = session.execute(counted).one()
        return Pace(done, None if mean is None else float(mean))

    def queues(self) -> list[QueueState]:
        """Say what waits where, queue by queue in the order in which they are worked off."""
        counted = (
            select(TaskRow.queue, TaskRow.state, func.count())
            .where(TaskRow.policy == self.policy.name)
            .group_by(TaskRow.queue, TaskRow.state)
        )
        with self._store.database.reading() as session:
            found = {(queue, state): count for queue, state, count in session.execute(counted)}
        states = ("open", "taken", "done", "withdrawn")
        return [QueueState(queue, *(found.get((queue, state), 0) for state in states)) for queue in QUEUES]

    def tasks(self) -> list[Draw]:
        """Give what was drawn, in the order in which it is worked off."""
        rows = select(TaskRow).where(TaskRow.policy == self.policy.name).order_by(TaskRow.id)
        with self._store.database.reading() as session:
            drawn = [Draw(row.id, row.state, _queue(row), row.chance, row.reason) for row in rows_of(session, rows)]
        return sorted(drawn, key=lambda each: QUEUES.index(each.queue))

    def agreement(self, label: Label) -> Agreement:
        """Say how much the two agree who annotated the same clips; raises ReviewError for a label that is none."""
        if label not in LABELS:
            raise ReviewError(f"there is no label {label}; there are: {', '.join(LABELS)}")
        first, second = aliased(AnnotationRow), aliased(AnnotationRow)
        one, other = aliased(TaskRow), aliased(TaskRow)
        pairs = (
            select(getattr(first, label), getattr(second, label))
            .join(one, one.id == first.task)
            .join(other, (other.clip == one.clip) & (other.policy == one.policy) & (other.copy == 1))
            .join(second, second.task == other.id)
            .where(one.copy == 0, one.policy == self.policy.name)
            .order_by(one.id)
        )
        with self._store.database.reading() as session:
            return cohen_kappa([(a, b) for a, b in session.execute(pairs)])

    def _taken(self, session: Session, task: str, annotator: str) -> TaskRow:
        """A task that is somebody's, and that they may still hear."""
        row = session.get(TaskRow, task, with_for_update=True)
        if (
            row is None
            or (row.policy, row.state, row.annotator) != (self.policy.name, "taken", annotator)
            or not is_open_to(session, self.policy, row.clip)
        ):
            # One sentence for all of it: nobody learns of others' tasks.
            raise TaskGoneError(f"task {task[:40]} is not yours, or not any more; take the next one")
        return row

    def _seen(self, session: Session, task: str, annotator: str) -> str:
        """The clip of a task that somebody has, or had: the log remembers it longer than the queue."""
        row = session.get(TaskRow, task)
        if row is not None and row.annotator == annotator and row.policy == self.policy.name:
            return row.clip
        views = (
            select(AuditRow.clip, AuditRow.details)
            .where(AuditRow.who == annotator, AuditRow.action == "view")
            .order_by(AuditRow.number.desc())
            .limit(_LOOK_BACK)
        )
        for clip, details in session.execute(views):
            if details.get("task") == task and isinstance(clip, str):
                return clip
        raise TaskGoneError(f"task {task[:40]} was never yours; report what you have heard yourself")

    def _view(self, session: Session, row: TaskRow, annotator: str, now: datetime) -> Shown:
        shown = show(session, self.policy, row.clip)
        details: dict[str, JSON] = {"task": row.id, "facts": [*shown.facts], "said": [*shown.said]}
        if self.policy.prefill:
            details["transcript"] = True
        session.flush()
        self._append(session, annotator, "view", row.clip, details, now)
        return shown

    def _task(self, handle: str, queue: Queue, clip: str, shown: Shown) -> Task:
        return Task(handle, shown.facts, shown.transcript, self._store.lengths([clip]).get(clip, 0), queue)

    def _seconds(self, row: TaskRow, now: datetime) -> float:
        if row.taken_until is None:
            return 0.0
        taken = datetime.fromisoformat(row.taken_until) - timedelta(minutes=self.policy.take_minutes)
        return max(0.0, round((now - taken).total_seconds(), 3))

    def _append(
        self,
        session: Session,
        who: str,
        action: str,
        clip: str,
        details: dict[str, JSON],
        now: datetime,
        role: str | None = None,
    ) -> None:
        customer = session.execute(_CUSTOMER, {"clip": clip}).scalar()
        told = {**details, "policy": self.policy.name}
        self._audit.append(session, Entry(who, role or self._role, action, clip, customer, told), now)


def _queue(row: TaskRow) -> Queue:
    return next((queue for queue in QUEUES if queue == row.queue), "general")
