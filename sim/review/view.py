"""What somebody sees of a clip: what the policy shows beside it, and what the far end heard in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from sim.cloud.schema import ClipRow, CustomerRow, DeviceRow, TranscriptRow
from sim.review.policy import Fact, ReviewPolicy
from sim.review.said import said

ABOUT = (
    *(CustomerRow.number, CustomerRow.first_name, CustomerRow.choice, CustomerRow.latitude, CustomerRow.longitude),
    *(DeviceRow.serial, TranscriptRow.text),
)
"""The columns of which an `About` is made."""
_ABOUT = (
    select(*ABOUT)
    .select_from(ClipRow)
    .join(CustomerRow, CustomerRow.number == ClipRow.customer, isouter=True)
    .join(DeviceRow, DeviceRow.name == ClipRow.device, isouter=True)
    .join(TranscriptRow, TranscriptRow.clip == ClipRow.id, isouter=True)
    .where(ClipRow.id == bindparam("clip"))
)


class About(NamedTuple):
    """Whose a clip is, and what was heard in it: a row of the columns `ABOUT`; what is not known is None."""

    number: str | None
    first_name: str | None
    choice: str | None
    latitude: float | None
    longitude: float | None
    serial: str | None
    text: str | None


@dataclass(frozen=True)
class Shown:
    """The facts beside a clip by name, its transcript if it is filled in, and what kinds of facts its words tell."""

    facts: dict[str, str]
    transcript: str
    said: tuple[str, ...]


def show(session: Session, policy: ReviewPolicy, clip: str) -> Shown:
    """Give what a policy shows of a clip."""
    about = About(*session.execute(_ABOUT, {"clip": clip}).one())
    known, text = facts_of(about), about.text or ""
    return Shown(
        {fact: known[fact] for fact in policy.facts if fact in known},
        text if policy.prefill else "",
        said(text, [about.first_name or ""]).kinds,
    )


def facts_of(about: About) -> dict[Fact, str]:
    """Give what is known of a customer, and of the device: what is not known is not there."""
    known: dict[Fact, str] = {}
    if about.number is not None:
        known["account number"] = about.number
    if about.first_name:
        known["first name"] = about.first_name
    if about.latitude is not None and about.longitude is not None:
        known["coordinates"] = f"{about.latitude:.4f}, {about.longitude:.4f}"
    if about.serial:
        known["device serial"] = about.serial
    return known
