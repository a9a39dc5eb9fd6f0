"""Clips, their parts, what was heard in them, and what the far end must remember to answer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from sim.cloud.schema.base import Base


class ClipRow(Base):
    """A clip of which at least one part is stored; whoever adds a part to it locks this row.

    customer: whose device it was then; empty where nobody knows. utc: when it began, as `base.stamp` writes it; empty
    where neither its name nor its part 0 says.
    """

    __tablename__ = "clips"
    __table_args__ = (
        Index("ix_clips_device_id", "device", "id"),
        Index("ix_clips_customer_utc", "customer", "utc", "id"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str]
    complete: Mapped[bool]
    customer: Mapped[str] = mapped_column(server_default="")
    utc: Mapped[str] = mapped_column(server_default="")


class PartRow(Base):
    """A part whose audio is safe; the digest also names its file.

    sealed: the digest of the body in which it came last, as its receipt named it.
    """

    __tablename__ = "parts"
    clip: Mapped[str] = mapped_column(ForeignKey("clips.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[bool]
    begin: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str]
    sealed: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)


class TurnRow(Base):
    """A complete clip that waits for its answer: there is a row from the last part until the transcript.

    owner: the receiver that is at it, none until one has claimed it; beat: changes for as long as that one lives.
    """

    __tablename__ = "turns"
    clip: Mapped[str] = mapped_column(ForeignKey("clips.id"), primary_key=True)
    owner: Mapped[str | None]
    beat: Mapped[int] = mapped_column(BigInteger)


class TranscriptRow(Base):
    """What was heard in a clip."""

    __tablename__ = "transcripts"
    clip: Mapped[str] = mapped_column(ForeignKey("clips.id"), primary_key=True)
    recognizer: Mapped[str]
    text: Mapped[str]
    words: Mapped[list[Any]] = mapped_column(JSON)


class CounterRow(Base):
    """A number that only grows."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class HouseholdRow(Base):
    """Which devices of a household heard a wake word lately: the state of its `Arbiter`."""

    __tablename__ = "households"
    name: Mapped[str] = mapped_column(primary_key=True)
    claims: Mapped[list[Any]] = mapped_column(JSON)


class SituationRow(Base):
    """Where the dialog with a device stands; none where no question is open."""

    __tablename__ = "situations"
    device: Mapped[str] = mapped_column(primary_key=True)
    situation: Mapped[dict[str, Any]] = mapped_column(JSON)


class MessageRow(Base):
    """A message that was sent: `begin` to `end` are the samples of its clip, `because` what each step took for what."""

    __tablename__ = "messages"
    id: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(index=True)
    clip: Mapped[str] = mapped_column(index=True)
    recipient: Mapped[str]
    text: Mapped[str]
    begin: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    because: Mapped[list[Any]] = mapped_column(JSON)
