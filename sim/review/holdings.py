"""What is held of each clip, as far as it says something of somebody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sim.cloud.schema import (
    AnnotationRow,
    ClipRow,
    CustomerRow,
    DeletedRow,
    DeviceRow,
    MessageRow,
    PartRow,
    TranscriptRow,
)
from sim.cloud.store import ClipStore
from sim.review.policy import ReviewPolicy
from sim.review.queues import queue_of
from sim.review.view import ABOUT, About, facts_of

_AT_ONCE = 2_000


@dataclass(frozen=True)
class HeldClip:
    """A clip of which something is held; chance: that it is drawn. names: that would be known if they were said."""

    customer: str
    beside: Mapping[Any, str]
    names: Sequence[str]
    text: str
    voice: bool
    deleted: bool
    chance: float


def held_clips(store: ClipStore, policy: ReviewPolicy) -> Iterator[HeldClip]:
    """Every clip of which something is held."""
    rows = (
        select(ClipRow.id, ClipRow.complete, ClipRow.customer, DeletedRow.what, *ABOUT)
        .join(CustomerRow, CustomerRow.number == ClipRow.customer, isouter=True)
        .join(DeviceRow, DeviceRow.name == ClipRow.device, isouter=True)
        .join(TranscriptRow, TranscriptRow.clip == ClipRow.id, isouter=True)
        .join(DeletedRow, DeletedRow.clip == ClipRow.id, isouter=True)
        .order_by(ClipRow.id)
        .limit(_AT_ONCE)
    )
    after = ""
    while True:
        with store.database.reading() as session:
            found = session.execute(rows.where(ClipRow.id > after)).all()
            ids = [row.id for row in found]
            mended, recipients = _mended(session, ids), _recipients(session, ids)
            rates = _rates(session, policy, ids)
        for clip, complete, customer, what, *columns in found:
            about = About(*columns)
            may = complete and what is None and policy.refusal(about.choice) is None
            yield HeldClip(
                customer=customer,
                beside=facts_of(about),
                names=[*recipients.get(clip, []), about.first_name or ""],
                text=mended.get(clip, about.text or ""),
                voice=what is None or "audio" not in what,
                deleted=what is not None,
                chance=rates.get(clip, policy.rate) if may else 0.0,
            )
        if len(found) < _AT_ONCE:
            return
        after = ids[-1]


def _rates(session: Session, policy: ReviewPolicy, clips: Sequence[str]) -> dict[str, float]:
    """The rate of each clip's queue; nothing where all queues have the same."""
    if not policy.strata:
        return {}
    rows = (
        select(ClipRow.id, PartRow.facts, TranscriptRow.words)
        .join(PartRow, (PartRow.clip == ClipRow.id) & (PartRow.number == 0), isouter=True)
        .join(TranscriptRow, TranscriptRow.clip == ClipRow.id, isouter=True)
        .where(ClipRow.id.in_(clips))
    )
    return {
        clip: policy.rate_of(queue_of(facts or {}, words, policy.low_confidence)[0])
        for clip, facts, words in session.execute(rows)
    }


def _mended(session: Session, clips: Sequence[str]) -> dict[str, str]:
    """What people wrote down, who hear better than the recognizer."""
    rows = select(AnnotationRow.clip, AnnotationRow.transcript).where(AnnotationRow.clip.in_(clips))
    return {clip: text for clip, text in session.execute(rows.order_by(AnnotationRow.utc)) if text}


def _recipients(session: Session, clips: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for clip, recipient in session.execute(
        select(MessageRow.clip, MessageRow.recipient).where(MessageRow.clip.in_(clips))
    ):
        found.setdefault(clip, []).append(recipient)
    return found
