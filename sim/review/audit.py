"""The log of what people did with clips: append-only, chained, signed, its end noted outside of the database too.

Each entry is bound by a hash to the one before, and signed by the far end: whoever has the database but not that key
can neither change an entry nor add one. What is cut off at the end shows in the heads (`sim.review.heads`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Select, Table, bindparam, event, insert, select, text
from sqlalchemy.orm import Session

from sim.cloud.database import Database
from sim.cloud.schema import AuditRow, stamp
from sim.review.chain import NOTHING, Entry, Fault, Link, first_fault, plain
from sim.review.heads import Head, Heads
from sim.review.signer import Signer

_KIND = "audit"
_AT_ONCE = 2_000
_NOTE = "misheard.audit"
# Locks the end of the log until the transaction ends, on every kind of database, and leaves no gap where it fails.
_NEXT = text(
    "INSERT INTO counters (name, value) VALUES ('audit', 1) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
)
_ENTRY = insert(cast("Table", AuditRow.__table__))  # as a table: nothing of the ORM is needed for a row
_HASH = select(AuditRow.hash).where(AuditRow.number == bindparam("number"))
_COUNT = text("UPDATE counters SET value = :last WHERE name = 'audit'")
_LAST = select(AuditRow.number, AuditRow.hash).order_by(AuditRow.number.desc()).limit(1)


class Audit:
    """The log of one store, for any number of threads and programs."""

    def __init__(self, database: Database, signer: Signer, heads: Sequence[Path]) -> None:
        """Take the store's database, the far end's key, and the files in which the end of the log is noted."""
        self._database, self._signer, self._heads = database, signer, Heads(heads)

    def append(self, session: Session, entry: Entry, utc: datetime) -> int:
        """Add an entry within the caller's transaction, and give its number; the log is locked until that ends.

        To be called last in a transaction, or two could wait for each other. Raises AuditError where the end of the
        log cannot be read, and on commit where it cannot be noted.
        """
        entry, heads = plain(entry), self._heads.all()
        number: int = session.execute(_NEXT).scalar_one()
        last, before = session.execute(_LAST).first() or (0, NOTHING)
        if number <= last:  # somebody put the counter back
            number = last + 1
            session.execute(_COUNT, {"last": number})
        link = Link.after(number, stamp(utc), entry, before)
        signature = self._signer.sign(_KIND, link.hash.encode())
        told = {**vars(entry), "details": dict(entry.details)}
        bound = {"number": number, "utc": link.utc, "before": link.before, "hash": link.hash, "signature": signature}
        session.execute(_ENTRY, {**told, **bound})
        # A head that the log does not hold any more is evidence, and stays as it is.
        held = [
            file
            for file in self._heads.files
            if file not in heads or (heads[file].number < number and self._holds(session, heads[file]))
        ]
        if session.info.get(_NOTE) is None:
            event.listen(session, "after_commit", self._note, once=True)
        session.info[_NOTE] = Head(link.number, link.hash, signature), held
        return number

    def record(self, entry: Entry, utc: datetime) -> int:
        """Add an entry in a transaction of its own, and give its number."""
        with self._database.writing() as session:
            return self.append(session, entry, utc)

    def entries(self, after: int = 0, **which: str) -> Iterator[Link]:
        """Give the entries after a number in order, those alone whose ``who``, ``action``, ``clip`` and so on it is."""
        for link, _ in self._links(after, which):
            yield link

    def page(self, before: int | None = None, limit: int = 100, **which: str) -> list[Link]:
        """Give the newest entries before a number (None: of all), the newest first, chosen as by `entries`."""
        rows = _chosen(which).order_by(AuditRow.number.desc()).limit(limit)
        if before is not None:
            rows = rows.where(AuditRow.number < before)
        with self._database.reading() as session:
            return [_link(row)[0] for row in session.execute(rows)]

    def head(self) -> Head | None:
        """The newest entry as it may be noted elsewhere, to be held against the log some day; None in an empty log."""
        newest = select(AuditRow.number, AuditRow.hash, AuditRow.signature).order_by(AuditRow.number.desc()).limit(1)
        with self._database.reading() as session:
            row = session.execute(newest).first()
        return None if row is None else Head(*row)

    def verify(self, others: Sequence[Head] = ()) -> Fault | None:
        """Give the first place where the log is not what was written; None where it is whole.

        others: heads that somebody noted before. Raises AuditError where a noted head cannot be read.
        """
        noted = [*self._heads.all().values(), *others]
        hashes: dict[int, str] = {}
        wanted = {head.number for head in noted}
        last: Link | None = None
        signature = ""
        for link, signed in self._links(0, {}):
            fault = first_fault([link], last)
            if fault is not None:
                return fault
            if link.number in wanted:
                hashes[link.number] = link.hash
            last, signature = link, signed
        for head in sorted(noted, key=lambda head: head.number):
            if not self._signer.verify(_KIND, head.hash.encode(), head.signature):
                return Fault(head.number, "the note of the log's end is not signed by this far end")
            if last is None or head.number > last.number:
                return Fault(
                    1 if last is None else last.number + 1,
                    f"it was removed from the end: entry {head.number} was there once",
                )
            if hashes.get(head.number) != head.hash:
                return Fault(head.number, "the log was written anew: another entry was noted in this place")
        # The signature of the last stands for all, which its hash binds.
        if last is not None and not self._signer.verify(_KIND, last.hash.encode(), signature):
            return Fault(last.number, "it was added, or the log written anew, by somebody without the far end's key")
        if last is not None and not noted:
            return Fault(
                last.number,
                "nothing is noted of the log's end, so whether entries were removed from there cannot be told",
            )
        return None

    def _links(self, after: int, which: dict[str, str]) -> Iterator[tuple[Link, str]]:
        rows = _chosen(which).order_by(AuditRow.number).limit(_AT_ONCE)
        while True:
            with self._database.reading() as session:
                found = session.execute(rows.where(AuditRow.number > after)).all()
            yield from map(_link, found)
            if len(found) < _AT_ONCE:
                return
            after = found[-1].number

    def _holds(self, session: Session, head: Head) -> bool:
        return session.execute(_HASH, {"number": head.number}).scalar() == head.hash

    def _note(self, session: Session) -> None:
        head, files = session.info.pop(_NOTE)
        self._heads.note(head, files)


def _chosen(which: Mapping[str, str]) -> Select[Any]:
    rows = select(AuditRow.__table__)
    for name, value in which.items():
        rows = rows.where(getattr(AuditRow, name) == value)
    return rows


def _link(row: Any) -> tuple[Link, str]:
    entry = Entry(row.who, row.role, row.action, row.clip, row.customer, row.details)
    return Link(row.number, row.utc, entry, row.before, row.hash), row.signature
