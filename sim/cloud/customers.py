"""Whose devices they are: accounts as the far end keeps them, and what each chose."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import JSON, Connection, bindparam, select, text
from sqlalchemy.orm import Session

from sim.cloud.database import Database, rows_of
from sim.cloud.schema import CustomerRow, DeviceRow
from sim.errors import StoreError

Choice = Literal["in", "out"]
"""Whether people may listen."""

# Plain SQL, because every batch of parts asks whose they are.
_WHOSE = (
    'SELECT name, customer, key, deletion, begin, "end", what FROM devices JOIN customers ON number = customer '
    "LEFT JOIN spans ON device = name WHERE name IN :names ORDER BY number"
)
_OWNERS = {
    dialect: text(f"{_WHOSE}{lock}").bindparams(bindparam("names", expanding=True)).columns(what=JSON)
    for dialect, lock in (("sqlite", ""), ("postgresql", " FOR KEY SHARE OF customers"))
}
_NEW_CUSTOMER = text("INSERT INTO customers (number, first_name) VALUES (:number, '') ON CONFLICT DO NOTHING")
_NEW_DEVICE = text(
    "INSERT INTO devices (name, customer, serial) VALUES (:name, :number, :serial) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class Device:
    """A device of a customer."""

    name: str
    serial: str


@dataclass(frozen=True)
class Customer:
    """An account; `choice` is None where nothing was ever chosen, `keep_days` where clips are kept for ever."""

    number: str
    first_name: str
    choice: Choice | None
    keep_days: int | None
    latitude: float | None
    longitude: float | None
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Account:
    """Whom a home's devices belong to; `devices` are their serials by name."""

    number: str
    first_name: str
    latitude: float | None
    longitude: float | None
    choice: Choice | None
    devices: Mapping[str, str]


class Customers:
    """The customers of a store; every method raises StoreAwayError while its database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_device(self, name: str) -> Customer:
        """Give whose device it is; who is not known yet is made."""
        with self._database.writing() as session:
            (held,) = owners(session.connection(), [name]).values()
            return _customer(session, _row(session, held.customer))

    def all(self) -> list[Customer]:
        """Give every customer, ordered by number."""
        with self._database.reading() as session:
            rows = rows_of(session, select(CustomerRow).order_by(CustomerRow.number))
            return [_customer(session, row) for row in rows]

    def get(self, number: str) -> Customer:
        """Give a customer; raises StoreError where nobody has this number."""
        with self._database.reading() as session:
            return _customer(session, _row(session, number))

    def choose(self, number: str, choice: Choice | None) -> None:
        """Keep whether people may listen; raises StoreError where nobody has this number."""
        with self._database.writing() as session:
            _row(session, number).choice = choice

    def keep(self, number: str, days: int | None) -> None:
        """Keep for how many days clips are kept, None for ever; raises StoreError where nobody has this number."""
        if days is not None and days < 1:
            raise StoreError(f"clips cannot be kept for {days} days; name 1 at least, or none for ever")
        with self._database.writing() as session:
            _row(session, number).keep_days = days

    def register(self, account: Account) -> None:
        """Make an account, or bring it up to date, and its devices its own; clips stay whose they were.

        What was chosen later than at first is not chosen anew.
        """
        with self._database.writing() as session:
            row = session.get(CustomerRow, account.number)
            if row is None:
                row = _new(session, account.number)
                row.choice = account.choice
            row.first_name, row.latitude, row.longitude = account.first_name, account.latitude, account.longitude
            session.flush()
            for name, serial in account.devices.items():
                session.merge(DeviceRow(name=name, customer=account.number, serial=serial))


@dataclass(frozen=True)
class Span:
    """A time of which everything was deleted; what: as in `DeletedRow`."""

    deletion: str
    begin: str
    end: str
    what: list[str]


@dataclass(frozen=True)
class Held:
    """Whose a device is, and the name of his newest key as it stands in the database.

    spans: when what it heard was deleted.
    """

    customer: str
    key: str | None
    spans: list[Span] = field(default_factory=list)


def owners(connection: Connection, devices: Iterable[str]) -> dict[str, Held]:
    """Give the owners by device, within a transaction; a device that is nobody's gets one.

    Until it ends, nobody can take their keys away.
    """
    names = sorted(set(devices))
    found = _held(connection, names)
    strangers = [name for name in names if name not in found]
    if strangers:
        new = [{"name": name, "number": number_of(name), "serial": serial_of(name)} for name in strangers]
        connection.execute(_NEW_CUSTOMER, new)
        connection.execute(_NEW_DEVICE, new)
        found = _held(connection, names)
    if found.keys() != set(names):
        raise ValueError("it gives other devices than it is asked for")  # its file was changed
    return found


def _held(connection: Connection, names: list[str]) -> dict[str, Held]:
    found: dict[str, Held] = {}
    for name, customer, key, *span in connection.execute(_OWNERS[connection.dialect.name], {"names": names}):
        held = found.setdefault(name, Held(customer, key))
        if span[0] is not None:
            held.spans.append(Span(*span))
    return found


def number_of(about: str) -> str:
    """Give the account number that follows from a word, the same every time: A and 10 digits."""
    return f"A{int(_digest(f'account {about}'), 16) % 10**10:010d}"


def serial_of(about: str) -> str:
    """Give the serial number that follows from a word: 16 characters."""
    return f"G0{_digest(f'serial {about}')[:14].upper()}"


def _digest(about: str) -> str:
    return hashlib.sha256(about.encode()).hexdigest()


def _new(session: Session, number: str) -> CustomerRow:
    row = CustomerRow(
        number=number, first_name="", choice=None, keep_days=None, latitude=None, longitude=None, key=None
    )
    session.add(row)
    return row


def _row(session: Session, number: str) -> CustomerRow:
    row = session.get(CustomerRow, number)
    if row is None:
        raise StoreError(f"no customer has the number {number}; list them with: misheard review customers")
    return row


def _customer(session: Session, row: CustomerRow) -> Customer:
    devices = rows_of(session, select(DeviceRow).where(DeviceRow.customer == row.number).order_by(DeviceRow.name))
    owned = tuple(Device(each.name, each.serial) for each in devices)
    choice: Choice | None = "in" if row.choice == "in" else "out" if row.choice == "out" else None
    return Customer(row.number, row.first_name, choice, row.keep_days, row.latitude, row.longitude, owned)
