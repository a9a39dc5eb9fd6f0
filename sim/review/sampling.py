"""Which clips are drawn for people to listen to: a clip's luck depends on seed and clip alone, on no other clip."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from sim.cloud.schema import ClipRow, CustomerRow, DeletedRow, PartRow, TaskRow, TranscriptRow
from sim.cloud.store import ClipStore
from sim.review.audit import Audit
from sim.review.chain import Entry
from sim.review.policy import QUEUES, ReviewPolicy
from sim.review.queues import queue_of
from uplink.message import JSON

_AT_ONCE = 5_000
_HANDLE_DIGITS = 16


@dataclass(frozen=True)
class Drawn:
    """What a draw came to.

    considered: clips that could have been drawn, by the policy; left_out: how many others, by why not. drawn: clips
    that are drawn now, by_reason; tasks: how many tasks that makes. already: clips that an earlier draw had drawn.
    """

    considered: int
    drawn: int
    by_reason: Mapping[str, int]
    left_out: Mapping[str, int]
    tasks: int
    already: int


@dataclass(frozen=True)
class _Lot:
    clip: str
    customer: str
    queue: str
    reason: str
    chance: float


def luck(seed: int, about: str, name: str) -> float:
    """Give a number from 0 up to 1 that looks random, and is the same for the same seed and name."""
    digest = hashlib.sha256(f"{seed}\0{about}\0{name}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56  # exact: a float has 53 bits, and never rounds up to 1


def draw(
    store: ClipStore,
    policy: ReviewPolicy,
    seed: int,
    audit: Audit,
    now: Callable[[], datetime],
    *,
    who: str = "command",
    secret: bytes = b"",
    at_once: int = _AT_ONCE,
) -> Drawn:
    """Draw from all clips that are stored, and make a task of each that is drawn: two where two are to annotate it.

    The same draw again draws those alone that came since. Never drawn: what is not complete, what was deleted, whom the
    policy does not let people listen to. secret: makes the tasks' handles such that nobody can tell the clip from one
    by trying; without it they follow from the seed. at_once: clips that are looked at in one transaction.
    """
    considered, already, tasks = 0, 0, 0
    reasons: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for rows in _batches(store, at_once):
        lots = []
        for row in rows:
            why = _left_out(policy, seed, row)
            if why is not None:
                left_out[why] += 1
                continue
            considered += 1
            if luck(seed, "clip", row.id) < _highest(policy):
                lots.append(row)
        with store.database.writing() as session:
            chosen = _held(session, _chosen(session, policy, seed, lots))
            there = _there(session, policy, chosen)
            already += len(there)
            fresh = [lot for lot in chosen if lot.clip not in there]
            made = [task for lot in fresh for task in _tasks(lot, policy, seed, secret)]
            if made:
                session.execute(insert(TaskRow), made)
        tasks += len(made)
        reasons.update(f"{lot.queue}: {lot.reason if lot.queue == 'general' else 'suspected'}" for lot in fresh)
    drawn = Drawn(considered, sum(reasons.values()), dict(reasons), dict(left_out), tasks, already)
    details: dict[str, JSON] = {
        "policy": policy.name,
        "seed": seed,
        "considered": considered,
        "drawn": drawn.drawn,
        "tasks": tasks,
    }
    audit.record(Entry(who, "sampler", "draw", details={**details, "by_reason": {**reasons}}), now())
    return drawn


def withdraw(session: Session, clip: str) -> None:
    """Take back, within a transaction, what of a clip nobody has begun or ended, as nobody may listen to it now."""
    left = TaskRow.clip == clip, TaskRow.state.in_(("open", "taken"))
    session.execute(update(TaskRow).where(*left).values(state="withdrawn", annotator=None, taken_until=None))


def _batches(store: ClipStore, at_once: int) -> Iterator[Sequence[Row[Any]]]:
    after = ""
    rows = (
        select(ClipRow.id, ClipRow.complete, ClipRow.customer, CustomerRow.choice, DeletedRow.what)
        .join(CustomerRow, CustomerRow.number == ClipRow.customer, isouter=True)
        .join(DeletedRow, DeletedRow.clip == ClipRow.id, isouter=True)
        .order_by(ClipRow.id)
        .limit(at_once)
    )
    while True:
        with store.database.reading() as session:
            found = session.execute(rows.where(ClipRow.id > after)).all()
        if found:
            yield found
        if len(found) < at_once:
            return
        after = found[-1].id


def _left_out(policy: ReviewPolicy, seed: int, row: Row[Any]) -> str | None:
    if row.what is not None:
        return "deleted"
    if not row.complete:
        return "not complete"
    refused = policy.refusal(row.choice)
    if refused is not None:
        return refused
    if policy.customers < 1 and luck(seed, "customer", row.customer) >= policy.customers:
        return "not among the customers that are drawn from"
    return None


def _highest(policy: ReviewPolicy) -> float:
    return max(policy.rate_of(queue) for queue in QUEUES) / policy.customers


def _chosen(session: Session, policy: ReviewPolicy, seed: int, rows: Sequence[Row[Any]]) -> list[_Lot]:
    """Those that win in the queue they are in."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    parts = select(PartRow.clip, PartRow.facts).where(PartRow.clip.in_(ids), PartRow.number == 0)
    facts = {row.clip: row.facts for row in session.execute(parts)}
    heard = select(TranscriptRow.clip, TranscriptRow.words).where(TranscriptRow.clip.in_(ids))
    words = {row.clip: row.words for row in session.execute(heard)}
    lots = []
    for row in rows:
        queue, reason = queue_of(facts.get(row.id, {}), words.get(row.id), policy.low_confidence)
        rate = policy.rate_of(queue)
        if luck(seed, "clip", row.id) < rate / policy.customers:
            lots.append(_Lot(row.id, row.customer, queue, reason, rate))
    return lots


def _there(session: Session, policy: ReviewPolicy, lots: Sequence[_Lot]) -> set[str]:
    clips = [lot.clip for lot in lots]
    return set(session.scalars(select(TaskRow.clip).where(TaskRow.clip.in_(clips), TaskRow.policy == policy.name)))


def _held(session: Session, lots: Sequence[_Lot]) -> list[_Lot]:
    """Those that were not deleted meanwhile, locked: a deletion, or another draw, finds their tasks afterwards."""
    clips = [lot.clip for lot in lots]
    locked = select(ClipRow.id).where(ClipRow.id.in_(clips)).order_by(ClipRow.id).with_for_update(key_share=True)
    held = set(session.scalars(locked)) - set(
        session.scalars(select(DeletedRow.clip).where(DeletedRow.clip.in_(clips)))
    )
    return [lot for lot in lots if lot.clip in held]


def _tasks(lot: _Lot, policy: ReviewPolicy, seed: int, secret: bytes) -> Iterator[dict[str, object]]:
    for copy in range(2 if luck(seed, "double", lot.clip) < policy.double else 1):
        about = f"{seed}\0{policy.name}\0{lot.clip}\0{copy}".encode()
        yield {
            "id": hashlib.blake2b(about, key=secret[:64]).hexdigest()[:_HANDLE_DIGITS],
            "clip": lot.clip,
            "copy": copy,
            "policy": policy.name,
            "reason": lot.reason,
            "chance": lot.chance,
            "queue": lot.queue,
            "state": "open",
        }
