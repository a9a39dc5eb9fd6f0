"""Orders to delete, carried out to their end: rows at once, then files, keys, training sets and what is in memory.

An order is durable before anything goes, and each step may be done twice: whatever interrupts it, `resume` ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import cast

from sqlalchemy import Integer, bindparam, func, select, update
from sqlalchemy.orm import Session

from sim.cloud import outbox
from sim.cloud.database import Database, rows_of
from sim.cloud.deletion import CALLED, Deleted, choose, customer_of, remove, take_key
from sim.cloud.files import Files
from sim.cloud.order import Order, State
from sim.cloud.places import PLACES, Place, places_of
from sim.cloud.schema import (
    ClipRow,
    DeletedRow,
    DeletionPlaceRow,
    DeletionRow,
    DeviceRow,
    ExportFileRow,
    ExportRow,
    SpanRow,
    stamp,
)
from sim.cloud.training_sets import remove_files
from sim.cloud.turn import Reach
from sim.cloud.vault import Vault

_CHUNK = 500
_UNSWEPT = (
    select(DeletedRow.clip, DeletedRow.device, DeletedRow.what)
    .where(~DeletedRow.swept)
    .order_by(DeletedRow.clip)
    .limit(bindparam("limit", type_=Integer))
)
_LOCKED = (
    select(DeletedRow.clip, DeletedRow.what)
    .where(DeletedRow.clip.in_(bindparam("clips", expanding=True)))
    .order_by(DeletedRow.clip)
    .with_for_update()
)


class Deletions:
    """The orders of a store; every method raises StoreAwayError while database, files or vault cannot be used.

    now: gives the time at which something went; without it, it counts as gone when the order was given.
    """

    def __init__(
        self, database: Database, files: Files, vault: Vault, now: Callable[[], datetime] | None = None
    ) -> None:
        self._database, self._files, self._vault, self._now = database, files, vault, now
        self.on_gone: list[Callable[[Sequence[str]], int]] = []
        """Told of the clips of an order, to forget what is in memory of them; gives of how many there was something."""

    def give(self, order: Order) -> Deleted:
        """Take an order and carry it out; the same again gives the same."""
        with self._database.writing() as session:
            deleted = self.begin(session, order)
        self.finish(deleted.id)
        return deleted

    def begin(self, session: Session, order: Order) -> Deleted:
        """Take an order, within a transaction, after which `finish` is to be called."""
        there = session.get(DeletionRow, order.id)
        if there is not None:
            return Deleted.of(order, [(device, clip) for device, clip in there.clips])
        customer = customer_of(session, order)
        keys = take_key(session, order, customer)
        clips = choose(session, order, customer)
        removed = remove(session, order, clips)
        pairs = [(clip.device, clip.id) for clip in clips]
        utc = stamp(order.at)
        session.add(
            DeletionRow(
                id=order.id,
                by=order.by,
                who=order.who,
                customer=customer,
                scope=order.scope,
                utc=utc,
                clips=[[*pair] for pair in pairs],
                reaches=[*order.reaches],
                state="under way",
                keys=keys,
                logged=False,
            )
        )
        session.flush()
        session.add_all(_spans(session, order, customer))
        session.add_all(
            DeletionPlaceRow(deletion=order.id, **asdict(place))
            for place in places_of(order, removed, len(keys), utc, self._database.is_file)
        )
        return Deleted.of(order, pairs)

    def resume(self) -> int:
        """Carry out what was interrupted, and remove what came late of clips that are gone; gives how many orders."""
        with self._database.reading() as session:
            under_way = session.scalars(
                select(DeletionRow.id).where(DeletionRow.state == "under way").order_by(DeletionRow.utc, DeletionRow.id)
            ).all()
        for order in under_way:
            self.finish(order)
        self.sweep()
        return len(under_way)

    def finish(self, order: str) -> None:
        """Carry an order out to its end, as far as that is this end's to do; where it is, nothing changes."""
        with self._database.reading() as session:
            row = session.get_one(DeletionRow, order)
            if row.state == "done":
                return
            at, customer, keys = row.utc, row.customer, tuple(row.keys)
            reaches, clips = set(row.reaches), [clip for _, clip in row.clips]
        # The key first: from here on all that is closed with it is silent, wherever it lies.
        if keys:
            self._vault.destroy(customer, *keys)
            self._settle(order, at, "keys", "done")
        self.sweep()
        for place in ("audio", "messages"):
            self._settle(order, at, place, "done")
        if "exports" in reaches:
            self._strike(order, at, clips)
        forgotten = sum(forget(clips) for forget in self.on_gone)
        self._settle(order, at, "caches", "done" if forgotten else "nothing there", forgotten)
        if self._database.is_file:
            if not self._database.scrub():
                return  # another program reads; the rest is done at the next look
            self._settle(order, at, "database", "done")
        with self._database.writing() as session:
            session.get_one(DeletionRow, order).state = "done"

    def sweep(self) -> None:
        """Remove the files of what was deleted, also what came late of it."""
        while True:
            with self._database.reading() as session:
                rows = session.execute(_UNSWEPT, {"limit": _CHUNK}).all()
            clips = {clip: (device, what) for clip, device, what in rows}
            if not clips:
                return
            self._files.erase_all(
                [f"audio/{device}/{clip}" for clip, (device, what) in clips.items() if "audio" in what]
                + [outbox.folder(device, clip) for clip, (device, what) in clips.items() if "messages" in what]
            )
            with self._database.writing() as session:
                # What came late of one meanwhile is found again.
                now = session.execute(_LOCKED, {"clips": list(clips)}).all()
                done = [clip for clip, what in now if what == clips[clip][1]]
                session.execute(update(DeletedRow).where(DeletedRow.clip.in_(done)).values(swept=True))

    def places(self, order: str) -> list[Place]:
        """Give what became of an order, place by place."""
        with self._database.reading() as session:
            rows = rows_of(session, select(DeletionPlaceRow).where(DeletionPlaceRow.deletion == order))
            found = {row.place: Place(row.place, cast("State", row.state), row.utc, row.count, row.why) for row in rows}
            left = _waiting(session, order)
        if left and "spools" in found:
            found["spools"] = replace(found["spools"], count=left)
        return [found[place] for place in PLACES if place in found]

    def expired(self, customer: str, before: datetime, reaches: Sequence[Reach]) -> bool:
        """Whether there is anything of a customer's from before a moment that these reaches would find."""
        what = {CALLED[reach] for reach in reaches if reach in CALLED}
        rows = (
            select(DeletedRow.what).select_from(ClipRow).join(DeletedRow, DeletedRow.clip == ClipRow.id, isouter=True)
        )
        with self._database.reading() as session:
            old = rows.where(ClipRow.customer == customer, ClipRow.utc > "", ClipRow.utc < stamp(before))
            return any(gone is None or not what <= set(gone) for gone in session.scalars(old))

    def gone(self, clips: Sequence[str]) -> list[str]:
        """Give those of these clips whose sound was deleted."""
        with self._database.reading() as session:
            rows = rows_of(session, select(DeletedRow).where(DeletedRow.clip.in_(clips)).order_by(DeletedRow.clip))
            return [row.clip for row in rows if "audio" in row.what]

    # What waits in the devices' spools.

    def untold(self, limit: int = _CHUNK) -> list[tuple[str, str]]:
        """Give device and clip of which a device is still to be told that it must forget them."""
        with self._database.reading() as session:
            rows = select(DeletedRow.device, DeletedRow.clip).where(DeletedRow.spool == "waiting")
            return [(row.device, row.clip) for row in session.execute(rows.order_by(DeletedRow.clip).limit(limit))]

    def told(self, clips: Iterable[str]) -> None:
        """Note that devices were told to forget these clips."""
        with self._database.writing() as session:
            which = DeletedRow.clip.in_([*clips]), DeletedRow.spool == "waiting"
            session.execute(update(DeletedRow).where(*which).values(spool="told"))

    def tell_again(self, device: str) -> None:
        """Have a device told again, which was away and may have missed it."""
        with self._database.writing() as session:
            which = DeletedRow.device == device, DeletedRow.spool == "told"
            session.execute(update(DeletedRow).where(*which).values(spool="waiting"))

    def forgotten(self, device: str, clip: str) -> None:
        """Note that a device has forgotten a clip: it says so itself."""
        with self._database.writing() as session:
            row = session.get(DeletedRow, clip, with_for_update=True)
            if row is None or row.device != device or row.spool not in ("waiting", "told"):
                return
            row.spool = "done"
            session.flush()
            if not _waiting(session, row.asked):
                place = session.get(DeletionPlaceRow, (row.asked, "spools"))
                if place is not None:
                    place.state, place.why = "done", ""
                    place.utc = place.utc if self._now is None else stamp(self._now())

    # The steps.

    def _strike(self, order: str, at: str, clips: Sequence[str]) -> None:
        """Remove clips from the training sets that were made of them."""
        away = []
        for chunk in (clips[begin : begin + _CHUNK] for begin in range(0, len(clips), _CHUNK)):
            with self._database.reading() as session:
                rows = session.execute(
                    select(ExportRow.path, ExportFileRow.export, ExportFileRow.file)
                    .join(ExportRow, ExportRow.id == ExportFileRow.export)
                    .where(ExportFileRow.clip.in_(chunk))
                    .order_by(ExportFileRow.export, ExportFileRow.file)
                ).all()
            sets: dict[tuple[str, str], list[str]] = {}
            for path, export, file in rows:
                sets.setdefault((path, export), []).append(file)
            for (path, export), files in sets.items():
                try:
                    reached = remove_files(Path(path), files)
                except OSError as error:
                    away.append(f"{path} ({error.strerror})")
                    continue
                if not reached:
                    away.append(path)
                    continue
                with self._database.writing() as session:
                    for file in files:
                        row = session.get(ExportFileRow, (export, file))
                        if row is not None:
                            session.delete(row)
        if away:
            where = ", ".join(dict.fromkeys(away))
            why = f"{where} is not there; whoever has a copy must remove the clips from it"
            self._settle(order, at, "exports", "cannot be reached", why=why)
        else:
            self._settle(order, at, "exports", "done")

    def _settle(
        self, order: str, at: str, place: str, state: State, count: int | None = None, why: str | None = None
    ) -> None:
        """Write down that something is done; what was not to be done, or was not there, stays as it is."""
        with self._database.writing() as session:
            row = session.get(DeletionPlaceRow, (order, place))
            if row is None or row.state != "waiting":
                return
            row.state, row.utc = state, at if self._now is None else stamp(self._now())
            row.count, row.why = row.count if count is None else count, row.why if why is None else why
            if why is None:
                row.why = ""


def _spans(session: Session, order: Order, customer: str) -> Iterator[SpanRow]:
    """Until the order was given, nothing of the time it means is kept, also where it comes only later."""
    if order.span is None or order.scope == "expired":
        return
    begin, end = order.span
    own = session.scalars(select(DeviceRow.name).where(DeviceRow.customer == customer))
    what = [name for reach, name in CALLED.items() if reach in order.reaches]
    for device in order.devices or sorted(own):
        yield SpanRow(deletion=order.id, device=device, begin=begin, end=min(end, stamp(order.at)), what=what)


def _waiting(session: Session, order: str) -> int:
    """Give of how many clips of an order a device has not said yet that it forgot them."""
    rows = select(func.count()).select_from(DeletedRow)
    return session.scalars(rows.where(DeletedRow.asked == order, DeletedRow.spool.in_(("waiting", "told")))).one()
