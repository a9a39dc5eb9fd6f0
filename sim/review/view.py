"""What somebody sees of a clip: what the policy shows beside it, and what the far end heard in it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from sim.cloud.schema import ClipRow, CustomerRow, DeviceRow, TranscriptRow
from sim.review.policy import Fact, ReviewPolicy
from sim.review.said import said

_ABOUT = (
    select(CustomerRow, DeviceRow.serial, TranscriptRow.text)
    .select_from(ClipRow)
    .join(CustomerRow, CustomerRow.number == ClipRow.customer, isouter=True)
    .join(DeviceRow, DeviceRow.name == ClipRow.device, isouter=True)
    .join(TranscriptRow, TranscriptRow.clip == ClipRow.id, isouter=True)
    .where(ClipRow.id == bindparam("clip"))
)


@dataclass(frozen=True)
class Shown:
    """The facts beside a clip by name, its transcript if it is filled in, and what kinds of facts its words tell."""

    facts: dict[str, str]
    transcript: str
    said: tuple[str, ...]


def show(session: Session, policy: ReviewPolicy, clip: str) -> Shown:
    """Give what a policy shows of a clip."""
    customer, serial, text = session.execute(_ABOUT, {"clip": clip}).one()
    known = facts_of(customer, serial)
    names = [customer.first_name] if customer is not None else []
    return Shown(
        {fact: known[fact] for fact in policy.facts if fact in known},
        (text or "") if policy.prefill else "",
        said(text or "", names).kinds,
    )


def facts_of(customer: CustomerRow | None, serial: str | None) -> dict[Fact, str]:
    """Give what is known of a customer, and of the device: what is not known is not there."""
    known: dict[Fact, str] = {}
    if customer is not None:
        known["account number"] = customer.number
        if customer.first_name:
            known["first name"] = customer.first_name
        if customer.latitude is not None and customer.longitude is not None:
            known["coordinates"] = f"{customer.latitude:.4f}, {customer.longitude:.4f}"
    if serial:
        known["device serial"] = serial
    return known
