"""Room in a far end's store: where its quota is used up, the oldest clips go, each with an order that says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import select

from sim.cloud.order import Order
from sim.cloud.quota import MB, SPARE, Quota
from sim.cloud.schema import ClipRow
from sim.cloud.store import ClipStore
from sim.errors import SimError
from sim.review.audit import Audit
from sim.review.deletion import delete, log_deletions
from sim.review.options import audit_of
from sim.review.signer import Signer
from uplink.errors import UplinkError
from uplink.keyring import Keyring
from uplink.message import JSON

Tell = Callable[[str, "Mapping[str, JSON]"], None]
_LOOK_S = 60.0
_RECOUNT = 60
"""Looks after which the store is counted again: several programs may add to it."""
_STUCK = (
    "the oldest clips would not make room: the store is full of clips that nobody knows the time of, or of files that "
    "belong to no clip in its database; delete some"
)


@dataclass(frozen=True)
class Room:
    """What was made: orders, one for each customer; bytes; and what began before this moment is gone."""

    orders: tuple[str, ...]
    size: int
    before: datetime


def make_room(store: ClipStore, audit: Audit, quota: Quota, now: datetime) -> Room | None:
    """Delete the oldest clips until a tenth of the quota is free; None where it is not used up, or that would not help.

    Whose they are, and for how long he wanted them kept, does not count: a disk has an end. A clip goes whole, with its
    transcript and messages. One that nobody knows the time of stays. Nothing goes while what went before does not stand
    in the log: raises AuditError.
    """
    if quota.held < quota.most:
        return None
    clips = _by_age(store)  # before they are counted: what others delete meanwhile is chosen again, and is gone
    sizes = quota.count()
    held = sum(sizes.values())
    if held < quota.most:  # others have deleted
        return None
    log_deletions(store.database, audit)
    found, freed = "", 0
    for utc, clip in clips:
        if freed >= held - round((1 - SPARE) * quota.most) and utc != found:
            break
        found, freed = utc, freed + sizes.get(clip, 0)
    if held - freed >= quota.most:
        return None
    before = datetime.fromisoformat(found) + timedelta(microseconds=1)
    orders = []
    for customer in store.customers.all():
        order = Order(
            "retention", f"the quota of {quota.most // MB} MB", "expired", now, customer.number, before=before
        )
        if store.deletions.expired(customer.number, before, order.reaches):
            orders.append(delete(store, audit, order))
    quota.count()
    return Room(tuple(orders), held - quota.held, before)


def _by_age(store: ClipStore) -> list[tuple[str, str]]:
    """When each clip began of which that is known, the oldest first, and its id."""
    dated = select(ClipRow.utc, ClipRow.id).where(ClipRow.utc > "")
    with store.database.reading() as session:
        return sorted((utc, clip) for utc, clip in session.execute(dated))


@contextmanager
def kept_within(
    store: ClipStore,
    keys: Keyring,
    tell: Tell,
    *,
    every_s: float = _LOOK_S,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[None]:
    """See that a store whose quota lets the oldest go has room, on a thread of its own, for as long as the block runs.

    `tell` gets ``room_made`` (deletions, mb, before: what began earlier is gone), and ``room_failed`` (reason), which
    is said once until there is room.
    """
    quota = store.quota
    if quota is None or not quota.deletes:
        yield
        return
    ended, failed = threading.Event(), ""

    def look(number: int) -> str:
        """Give why no room could be made; empty where none was wanted, or there is some now."""
        if number % _RECOUNT == 0:
            quota.count()
        if quota.held < quota.most:
            return ""
        room = make_room(store, audit_of(store, Signer.of(keys)), quota, now())
        if room is not None:
            facts: dict[str, JSON] = {"deletions": len(room.orders), "mb": round(room.size / MB, 1)}
            tell("room_made", {**facts, "before": room.before.isoformat(timespec="seconds")})
        return "" if quota.held < quota.most else _STUCK

    def work() -> None:
        nonlocal failed
        for number in count():
            try:
                why = look(number)
            except (SimError, UplinkError, OSError) as error:  # a store that is away: there is another look
                why = str(error)
            if why and why != failed:
                tell("room_failed", {"reason": why})
            failed = why
            if ended.wait(every_s):
                return

    thread = threading.Thread(target=work, name="room", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
