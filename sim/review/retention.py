"""Retention: clips are kept as long as their customer chose, or else as the far end does, and then deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from sim.cloud.order import Order
from sim.cloud.store import ClipStore
from sim.cloud.turn import REACHES, Reach
from sim.errors import ReviewWishError
from sim.review.audit import Audit
from sim.review.deletion import delete

KEEP: dict[str, int | None] = {"3-months": 92, "18-months": 549, "never": None}
"""The choices there are, in days: three and eighteen months at their longest; "never" is never deleted."""


def days_of(how: str) -> int | None:
    """Give the days of a choice, which is one of `KEEP` or a number; raises ReviewWishError."""
    if how in KEEP:
        return KEEP[how]
    if how.isdecimal() and 0 < int(how) <= 36_500:
        return int(how)
    raise ReviewWishError(f"--keep {how} is not how long clips can be kept; say {', '.join(KEEP)} or a number of days")


def retain(
    store: ClipStore, audit: Audit, now: datetime, default: int | None, reaches: tuple[Reach, ...] = REACHES
) -> list[str]:
    """Delete what has expired, and give the ids of the orders: one for each customer of whom something has.

    default: days for who did not choose; None keeps for ever.
    """
    orders = []
    for customer in store.customers.all():
        days = default if customer.keep_days is None else customer.keep_days
        if days is None:
            continue
        before = now - timedelta(days=days)
        if not store.deletions.expired(customer.number, before, reaches):
            continue
        who = "the customer's choice" if customer.keep_days is not None else "the default"
        order = Order(
            "retention", f"{who} of {days} days", "expired", now, customer.number, before=before, reaches=reaches
        )
        orders.append(delete(store, audit, order))
    return orders
