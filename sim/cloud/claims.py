"""Who answers which clip, among several receivers on one store: each is claimed by one, and goes on if that one dies.

No clocks are compared, so none has to be right: a receiver changes the beat of its claims for as long as it lives, and
a claim whose beat stood still for some looks of another receiver is that other one's to take.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from sim.cloud.database import Database
from sim.cloud.schema import TurnRow
from sim.errors import TakenOverError

_LOOKS = 4
"""How often another's beat must be found unchanged."""


@dataclass(frozen=True)
class Claim:
    """A clip that waits for its answer, who is at it (None: nobody yet), and that one's beat."""

    clip: str
    owner: str | None
    beat: int


class Claims:
    """The claims of one receiver, and what it sees of the others'; raises StoreAwayError while the store is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.owner = secrets.token_hex(8)

    def all(self) -> list[Claim]:
        """Give every clip that is complete and has no transcript, by id."""
        with self._database.reading() as session:
            rows = session.scalars(select(TurnRow).order_by(TurnRow.clip))
            return [Claim(row.clip, row.owner, row.beat) for row in rows]

    def take(self, clip: str) -> bool:
        """Claim a clip that nobody has claimed; of all who try, one gets True."""
        return self._set_owner(TurnRow.clip == clip, TurnRow.owner.is_(None))

    def take_over(self, claim: Claim) -> bool:
        """Claim a clip from another, unless that one, or a third, has stirred meanwhile."""
        return self._set_owner(TurnRow.clip == claim.clip, TurnRow.owner == claim.owner, TurnRow.beat == claim.beat)

    def holds(self, clip: str) -> bool:
        """Whether this receiver is at a clip, still."""
        with self._database.reading() as session:
            row = session.get(TurnRow, clip)
            return row is not None and row.owner == self.owner

    def renew(self) -> None:
        """Show the others that this receiver lives."""
        with self._database.writing() as session:
            session.execute(update(TurnRow).where(TurnRow.owner == self.owner).values(beat=TurnRow.beat + 1))

    def release(self) -> None:
        """Leave what is not answered to the others."""
        with self._database.writing() as session:
            session.execute(update(TurnRow).where(TurnRow.owner == self.owner).values(owner=None))

    def settle(self, session: Session, clip: str) -> None:
        """Take note, within a transaction, that a clip is answered; raises TakenOverError."""
        row = session.get(TurnRow, clip, with_for_update=True)
        if row is None:
            return
        if row.owner not in (None, self.owner):
            raise TakenOverError(f"clip {clip} is answered by another receiver, which took this one for dead")
        session.delete(row)

    def _set_owner(self, *which: ColumnElement[bool]) -> bool:
        with self._database.writing() as session:
            done = session.execute(
                update(TurnRow).where(*which).values(owner=self.owner, beat=TurnRow.beat + 1).returning(TurnRow.clip)
            )
            return done.one_or_none() is not None


class Watch:
    """Sees to it that no clip stays without an answer: looked through from time to time, by one thread."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._seen: Mapping[Claim, int] = {}  # how often each claim of another was found just like this

    def look(self, alone: bool = False) -> list[str]:
        """Renew the own claims, take what is nobody's, and give all that is now this receiver's.

        With `alone`, whatever another has claimed is nobody's: the owner is an earlier run.
        """
        self._claims.renew()
        claims = self._claims.all()
        own = self._claims.owner
        self._seen = {each: self._seen.get(each, 0) + 1 for each in claims if each.owner not in (None, own)}
        return [each.clip for each in claims if each.owner == own or self._take(each, alone)]

    def _take(self, claim: Claim, alone: bool) -> bool:
        if claim.owner is None:
            return self._claims.take(claim.clip)
        return (alone or self._seen[claim] >= _LOOKS) and self._claims.take_over(claim)
