"""Whose clips they are: customers and their devices."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sim.cloud.schema.base import Base


class CustomerRow(Base):
    """An account: number is "A" and 10 digits.

    choice: whether people may listen: "in", "out", none who never chose. keep_days: for how long, none for ever.
    key: the name of the vault's key that closes what comes now; none until there is one.
    """

    __tablename__ = "customers"
    number: Mapped[str] = mapped_column(primary_key=True)
    first_name: Mapped[str]
    choice: Mapped[str | None]
    keep_days: Mapped[int | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    key: Mapped[str | None]


class DeviceRow(Base):
    """A device and whose it is."""

    __tablename__ = "devices"
    name: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(ForeignKey("customers.number"), index=True)
    serial: Mapped[str]
