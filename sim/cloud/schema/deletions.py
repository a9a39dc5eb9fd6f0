"""What was deleted, for whom, and where."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sim.cloud.schema.base import Base


class DeletedRow(Base):
    """A clip that a customer had deleted, with the order `asked`: stays, so that a part that comes late is not kept.

    what: audio, transcript, messages; swept: whether its files are gone too. spool: whether its device is to be told
    ("waiting"), was told, or has forgotten it ("done"); empty where it cannot have it any more.
    """

    __tablename__ = "deleted"
    clip: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str]
    asked: Mapped[str] = mapped_column(index=True)
    what: Mapped[list[Any]] = mapped_column(JSON)
    swept: Mapped[bool] = mapped_column(index=True)
    spool: Mapped[str] = mapped_column(server_default="", index=True)


class DeletionRow(Base):
    """An order to delete, which is carried out to its end whatever happens meanwhile.

    by: "voice", "customer", "command", "retention". scope: "clip", "last", "today", "day", "all", "expired".
    clips: pairs of device and clip. reaches: as `sim.cloud.turn.Reach` has them. state: "under way", "done".
    keys: names of the vault's keys that are to be destroyed. logged: whether it stands in the audit log.
    """

    __tablename__ = "deletions"
    id: Mapped[str] = mapped_column(primary_key=True)
    by: Mapped[str]
    who: Mapped[str]
    customer: Mapped[str] = mapped_column(index=True)
    scope: Mapped[str]
    utc: Mapped[str]
    clips: Mapped[list[Any]] = mapped_column(JSON)
    reaches: Mapped[list[Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(index=True)
    keys: Mapped[list[Any]] = mapped_column(JSON)
    logged: Mapped[bool] = mapped_column(index=True)


class DeletionPlaceRow(Base):
    """What became of an order at one place; count: of what lay there.

    state: "done", "nothing there", "kept by policy", "cannot be reached", "waiting".
    """

    __tablename__ = "deletion_places"
    deletion: Mapped[str] = mapped_column(ForeignKey("deletions.id"), primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    utc: Mapped[str]
    count: Mapped[int]
    why: Mapped[str]


class SpanRow(Base):
    """What a device heard between these moments was deleted: a clip of that time that comes later is not kept.

    what: audio, transcript, messages.
    """

    __tablename__ = "spans"
    deletion: Mapped[str] = mapped_column(ForeignKey("deletions.id"), primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True, index=True)
    begin: Mapped[str]
    end: Mapped[str]
    what: Mapped[list[Any]] = mapped_column(JSON)
