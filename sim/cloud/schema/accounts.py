"""Who may use the console, and who does."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sim.cloud.schema.base import Base


class AccountRow(Base):
    """A person at the console: role is "customer", "annotator", "lead", "auditor".

    password: its argon2 hash. totp: the second factor's secret, sealed with a key of the vault. step: of the last one
    that was used.
    """

    __tablename__ = "accounts"
    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    customer: Mapped[str | None] = mapped_column(ForeignKey("customers.number"), index=True)
    password: Mapped[str]
    totp: Mapped[str | None]
    step: Mapped[int | None] = mapped_column(BigInteger)
    disabled: Mapped[bool]


class SessionRow(Base):
    """Somebody who is logged in; token: the SHA-256 of what the browser holds. Times are UTC."""

    __tablename__ = "sessions"
    token: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.name"), index=True)
    begun: Mapped[str]
    seen: Mapped[str]
    ends: Mapped[str]


class AttemptRow(Base):
    """How often somebody tried to log in since when; key: an account or an address."""

    __tablename__ = "attempts"
    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    since: Mapped[str]
