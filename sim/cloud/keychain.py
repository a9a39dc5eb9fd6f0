"""Which key closes what a device sends now, and what opens what lies in the store."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import text

from sim.cloud.customers import owners
from sim.cloud.database import Database
from sim.cloud.vault import Key, Vault, named_in
from sim.errors import StoreError

_KEY = text("SELECT key FROM customers WHERE number = :number")
_SET = text("UPDATE customers SET key = :key WHERE number = :number AND key IS NULL")
_TRIES = 10


@dataclass(frozen=True)
class Owner:
    """Whose a device is, and the key that closes what it sends."""

    customer: str
    key: Key


class StaleKeyError(Exception):
    """A device has another owner now, or he another key: what was closed must be closed again.

    clips: those that are somebody else's than their device is now, by their customers.
    """

    def __init__(self, clips: Mapping[str, str]) -> None:
        super().__init__("closed with a key that closes no more")
        self.clips = clips


class Keychain:
    """Keys as they are needed, for any number of threads. Which key is a customer's newest stands in the database.

    So a transaction that reads it there knows whether what it keeps was closed with a key that lives on: a deletion
    takes the key away there first, and then destroys it. Every method raises StoreAwayError.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault
        self._owners: dict[str, Owner] = {}
        self._lock = threading.Lock()

    def owners(self, devices: Iterable[str]) -> dict[str, Owner]:
        """Give the owners of devices; a device that is nobody's gets one, an owner without a key one too."""
        wanted = set(devices)
        with self._lock:
            found = {name: self._owners[name] for name in wanted & self._owners.keys()}
            if missing := wanted - found.keys():
                with self._database.writing() as session:
                    whose = owners(session.connection(), missing)
                new = {name: Owner(held.customer, self.key_of(held.customer)) for name, held in whose.items()}
                self._owners |= new
                found |= new
        return found

    def drop(self) -> None:
        """Ask for everything anew."""
        with self._lock:
            self._owners.clear()

    def key_of(self, customer: str) -> Key:
        """Give the key that closes what comes of a customer now; raises StoreError where it is in another vault."""
        for _ in range(_TRIES):
            with self._database.reading() as session:
                name = session.execute(_KEY, {"number": customer}).scalar()
            if name is None:
                key = self._vault.key_of(customer)
                with self._database.writing() as session:
                    session.execute(_SET, {"key": key.name, "number": customer})
            elif (found := self._vault.key(name)) is not None:
                return found
        raise StoreError(
            f"the vault does not have the key of customer {customer}; name the one that this store was used with "
            "(--vault), or bring it back from a copy"
        )

    def open(self, content: bytes, shown: str) -> bytes:
        """Give what is in a file of the store, `shown`; one from before there were keys lies open.

        Raises StoreError where its key is gone, or it is damaged.
        """
        name = named_in(content)
        if name is None:
            return content
        key = self._vault.key(name)
        if key is None:
            raise StoreError(f"the key to {shown} was destroyed, as somebody asked, or is in another vault")
        opened = key.open(content)
        if opened is None:
            raise StoreError(f"{shown} is damaged in the store; bring it back from a copy")
        return opened
