"""Which facts about whom can reach people under a policy, and which have: what stands beside clips and what they say.

What may come is worked out from the clips that are stored; what has come is read from the log, which outlives them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sim.cloud.schema import (
    AnnotationRow,
    AuditRow,
    DeletedRow,
    DeviceRow,
    ExportFileRow,
    MessageRow,
    TranscriptRow,
)
from sim.cloud.store import ClipStore
from sim.review.holdings import held_clips
from sim.review.policy import ReviewPolicy
from sim.review.said import said
from uplink.message import JSON

BESIDE = ("account number", "first name", "device serial", "coordinates")
SAID = ("name", "address", "number")
FACTS = (*BESIDE, "voice", "words", *(f"{kind} said" for kind in SAID))
"""In the order in which they are told."""

_Whose: TypeAlias = tuple[str, str]
"""A fact and a customer."""


@dataclass(frozen=True)
class Exposed:
    """A fact about a customer.

    clips: how many that are held carry it, and deleted: how many of these the customer had had deleted. drawn: in how
    many of them it is expected to be drawn, by the policy's rates; chance: that any of them is. people: how many have
    seen or heard it, times: how often.
    """

    fact: str
    customer: str
    clips: int
    deleted: int
    drawn: float
    chance: float
    people: int
    times: int


@dataclass(frozen=True)
class Kept:
    """What is still held of clips that a customer had deleted."""

    customer: str
    what: str
    count: int


@dataclass(frozen=True)
class Exposure:
    """A report. clips: those held; beside: how many a person could be told from by what stands beside them under the
    policy; by_words: by what they say themselves, names, addresses or numbers; said: how many say which of these.

    heard_and_deleted: how many people listened to clips that were deleted since: that does not go with them.
    """

    policy: str
    clips: int
    beside: int
    by_words: int
    said: Mapping[str, int]
    facts: tuple[Exposed, ...]
    kept: tuple[Kept, ...]
    heard_and_deleted: int

    def as_json(self) -> dict[str, JSON]:
        """As it is written."""
        return {
            "policy": self.policy,
            "clips": self.clips,
            "linked": {"beside": self.beside, "by_words": self.by_words, "said": {**self.said}},
            "facts": [dict(vars(each)) for each in self.facts],
            "kept": [dict(vars(each)) for each in self.kept],
            "heard_and_deleted": self.heard_and_deleted,
        }


@dataclass
class _Tally:
    """What is counted of a fact about a customer; missed: the logarithm of the chance that none of it is drawn."""

    clips: int = 0
    deleted: int = 0
    drawn: float = 0.0
    missed: float = 0.0
    people: set[str] = field(default_factory=set)
    times: int = 0


def exposure(store: ClipStore, policy: ReviewPolicy) -> Exposure:
    """Say what a policy makes of the clips that are stored now, and of what was seen and heard under it."""
    tallies: defaultdict[_Whose, _Tally] = defaultdict(_Tally)
    clips, linked, kinds = 0, Counter[str](), Counter[str]()
    for held in held_clips(store, policy):
        clips += 1
        about = said(held.text, held.names).kinds
        kinds.update(about)
        beside = [fact for fact in policy.facts if fact in held.beside]
        linked["beside"] += bool(beside)
        linked["words"] += bool(about)
        carried = [*beside, *(["voice"] if held.voice else []), *(["words"] if held.text else [])]
        chance = held.chance
        for fact in (*carried, *(f"{kind} said" for kind in about)):
            tally = tallies[fact, held.customer]
            tally.clips += 1
            tally.deleted += held.deleted
            tally.drawn += chance
            tally.missed += math.log1p(-chance / policy.customers) if chance < policy.customers else -math.inf
    with store.database.reading() as session:
        _count_eyes(session, policy, tallies)
        kept = tuple(_kept(session))
        remembered = _remembered(session)
    return Exposure(
        policy.name,
        clips,
        linked["beside"],
        linked["words"],
        {kind: kinds[kind] for kind in SAID},
        tuple(_exposed(policy, tallies)),
        kept,
        remembered,
    )


def _count_eyes(session: Session, policy: ReviewPolicy, tallies: Mapping[_Whose, _Tally]) -> None:
    """Count who has seen and heard what; views and listens of tasks that a policy of this name made."""
    entries = select(AuditRow.who, AuditRow.action, AuditRow.customer, AuditRow.details).where(
        AuditRow.action.in_(("view", "listen"))
    )
    spoken: dict[JSON, Iterable[str]] = {}  # by task: what kinds of facts its words tell, as it was when it was shown
    for who, action, customer, details in session.execute(entries.order_by(AuditRow.number)):
        if details.get("policy") != policy.name or customer is None:
            continue
        about = [f"{kind} said" for kind in details.get("said", ())]
        if action == "view":
            spoken[details.get("task")] = about
            seen = [*details.get("facts", ()), *(["words", *about] if details.get("transcript") else [])]
        else:
            seen = ["voice", "words", *spoken.get(details.get("task"), ())]
        for fact in seen:
            tally = tallies[fact, customer]
            tally.people.add(who)
            tally.times += 1


def _kept(session: Session) -> Iterator[Kept]:
    """What is left of deleted clips, wherever it lies."""
    owner = DeviceRow.customer
    for what, column in (
        ("transcript", TranscriptRow.clip),
        ("message", MessageRow.clip),
        ("annotation", AnnotationRow.clip),
        ("file of an export", ExportFileRow.clip),
    ):
        rows = (
            select(owner, func.count())
            .select_from(DeletedRow)
            .join(column.class_, column == DeletedRow.clip)
            .join(DeviceRow, DeviceRow.name == DeletedRow.device, isouter=True)
            .group_by(owner)
            .order_by(owner)
        )
        yield from (Kept(customer or "", what, count) for customer, count in session.execute(rows))


def _remembered(session: Session) -> int:
    listened = (
        select(func.count(AuditRow.who.distinct()))
        .join(DeletedRow, DeletedRow.clip == AuditRow.clip)
        .where(AuditRow.action == "listen", AuditRow.role != "customer")
    )
    return session.execute(listened).scalar_one()


def _exposed(policy: ReviewPolicy, tallies: Mapping[_Whose, _Tally]) -> Iterator[Exposed]:
    for fact, customer in sorted(tallies, key=lambda whose: (whose[1], FACTS.index(whose[0]))):
        tally = tallies[fact, customer]
        yield Exposed(
            fact=fact,
            customer=customer,
            clips=tally.clips,
            deleted=tally.deleted,
            drawn=round(tally.drawn, 6),
            chance=round(policy.customers * (1 - math.exp(tally.missed)), 6),
            people=len(tally.people),
            times=tally.times,
        )
