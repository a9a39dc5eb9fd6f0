"""Where an arbiter sits that several far ends share: what it knows is in the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sim.cloud.arbiter import Arbiter, Claim, Ruling
from sim.cloud.database import Database
from sim.cloud.schema import HouseholdRow

_HOME = "home"
"""One store serves one household."""


class Bench:
    """Rules among the devices of the household; raises StoreAwayError while the store cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hear(self, claim: Claim) -> tuple[Ruling, ...]:
        """See `Arbiter.hear`."""
        with self._arbiter() as arbiter:
            return arbiter.hear(claim)

    def answers(self, clip: str) -> bool:
        """Whether a clip is to be answered; from then on no other device may have its word."""
        with self._arbiter() as arbiter:
            ruling = arbiter.ruling(clip)
            if ruling is not None and not ruling.won:
                return False
            arbiter.answered(clip)
            return True

    @contextmanager
    def _arbiter(self) -> Iterator[Arbiter]:
        with self._database.writing() as session:
            row = session.get(HouseholdRow, _HOME, with_for_update=True)
            arbiter = Arbiter(row.claims if row is not None else ())
            yield arbiter
            session.merge(HouseholdRow(name=_HOME, claims=arbiter.state))
