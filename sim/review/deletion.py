"""Deleting as somebody wants it, on the record: the order is carried out, and stands in the log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from sim.cloud.database import Database
from sim.cloud.order import Order
from sim.cloud.schema import DeletionRow
from sim.cloud.store import ClipStore
from sim.review.audit import Audit
from sim.review.chain import Entry
from uplink.message import JSON

_ROLES = {"voice": "customer", "customer": "customer", "command": "operator", "retention": "retention"}


def delete(store: ClipStore, audit: Audit, order: Order) -> str:
    """Carry out an order and note it in the log; gives its id."""
    deletion = store.delete(order)
    log_deletions(store.database, audit)
    return deletion


def log_deletions(database: Database, audit: Audit) -> int:
    """Note in the log what was ordered and does not stand in it, as what was said to a device; gives how many."""
    with database.reading() as session:
        which = select(DeletionRow.id).where(~DeletionRow.logged).order_by(DeletionRow.utc, DeletionRow.id)
        orders = session.scalars(which).all()
    for order in orders:
        with database.writing() as session:
            row = session.get_one(DeletionRow, order, with_for_update=True)
            if row.logged:  # by another program, meanwhile
                continue
            row.logged = True
            session.flush()
            details: dict[str, JSON] = {
                "deletion": row.id,
                "by": row.by,
                "scope": row.scope,
                "clips": len(row.clips),
                "reaches": [*row.reaches],
            }
            entry = Entry(row.who, _ROLES[row.by], "delete", None, row.customer, details)
            audit.append(session, entry, datetime.fromisoformat(row.utc))
    return len(orders)
