"""The keys with which clips lie closed, one for each customer: in a database of their own, away from the clips.

A copy of the store holds none of them, so once a key is destroyed here, that copy is silent too.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, LargeBinary, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from sim.cloud.database import Database
from sim.errors import StoreError
from uplink.keys import BoxKey

MAGIC = b"mhv1"
"""How a closed file begins; the name of its key follows."""
_NAME_DIGITS = 32


class VaultBase(DeclarativeBase):
    """What the vault's tables have in common."""


class VaultKeyRow(VaultBase):
    """A key; number: the order in which they were made."""

    __tablename__ = "vault_keys"
    number: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    customer: Mapped[str] = mapped_column(index=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True)
class Key:
    """A customer's key; `name` is 32 hexadecimal digits and no secret."""

    name: str
    customer: str
    box: BoxKey

    def close(self, content: bytes) -> bytes:
        """Give the bytes that may lie anywhere."""
        return MAGIC + self.name.encode() + self.box.close(content)

    def open(self, closed: bytes) -> bytes | None:
        """Give what `close` was given; None where it is damaged, or another key's."""
        return self.box.open(closed[len(MAGIC) + _NAME_DIGITS :]) if named_in(closed) == self.name else None


class Vault:
    """Makes keys and destroys them; every method raises StoreAwayError while its database cannot be used."""

    def __init__(self, url: str) -> None:
        """Open the database at an SQLAlchemy URL, made where it is missing."""
        self._database = Database(url, _make_tables)

    @classmethod
    def beside(cls, keys: Path) -> Vault:
        """Open the vault in the folder of a far end's own keys, for its owner alone; raises StoreError."""
        file = keys / "vault.sqlite"
        try:
            keys.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))  # whose mode SQLite's other files take over
        except OSError as error:
            raise StoreError(f"the vault {file} cannot be made ({error.strerror}); check folder and disk") from None
        return cls(f"sqlite:///{file}")

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of its own that is there now; none of a server's."""
        return self._database.files

    def close(self) -> None:
        """Let go of it."""
        self._database.close()

    def key_of(self, customer: str) -> Key:
        """Give the newest key of a customer, or of anybody else who has something to close; one is made if need be."""
        with self._database.writing() as session:
            newest = select(VaultKeyRow).where(VaultKeyRow.customer == customer).order_by(VaultKeyRow.number.desc())
            row = session.scalars(newest.limit(1)).first()
            if row is None:
                name = secrets.token_hex(_NAME_DIGITS // 2)
                row = VaultKeyRow(name=name, customer=customer, secret=BoxKey.make().raw)
                session.add(row)
                session.flush()
            return _key(row)

    def key(self, name: str) -> Key | None:
        """Give a key by its name; None where it was destroyed, or never was here."""
        with self._database.reading() as session:
            row = session.scalars(select(VaultKeyRow).where(VaultKeyRow.name == name)).first()
            return None if row is None else _key(row)

    def destroy(self, customer: str, *names: str) -> int:
        """Destroy a customer's keys for good, those of these names alone where any are given; gives how many went.

        What was closed with them cannot be opened again by anybody. What comes later gets a new key.
        """
        doomed = delete(VaultKeyRow).where(VaultKeyRow.customer == customer)
        with self._database.writing() as session:
            rows = session.scalars(
                (doomed.where(VaultKeyRow.name.in_(names)) if names else doomed).returning(VaultKeyRow.name)
            )
            count = len(rows.all())
        self._database.scrub()
        return count


def named_in(content: bytes) -> str | None:
    """Give the name of the key with which a file was closed; None for one that lies open."""
    end = len(MAGIC) + _NAME_DIGITS
    return content[len(MAGIC) : end].decode("ascii", "replace") if content.startswith(MAGIC) else None


def _key(row: VaultKeyRow) -> Key:
    return Key(row.name, row.customer, BoxKey(row.secret))


def _make_tables(connection: Connection) -> None:
    VaultBase.metadata.create_all(connection)
