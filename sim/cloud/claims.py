"""Who answers which clip, among several receivers on one store: each is claimed by one, and goes on if that one dies.

No clocks are compared, so none has to be right: a receiver changes the beat of its claims for as long as it lives, and
a claim whose beat stood still for some looks of another receiver is that other one's to take.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select, text, update
from sqlalchemy.orm import Session

from sim.cloud.database import Database, rows_of
from sim.cloud.schema import TurnRow
from sim.errors import TakenOverError

_OWNER = text("SELECT owner FROM turns WHERE clip = :clip")
_SETTLED = text("DELETE FROM turns WHERE clip = :clip AND (owner IS NULL OR owner = :owner) RETURNING clip")
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
            rows = rows_of(session, select(TurnRow).order_by(TurnRow.clip))
            return [Claim(row.clip, row.owner, row.beat) for row in rows]

    def take(self, clip: str) -> bool:
        """Claim a clip that nobody has claimed; of all receivers that try, one gets True."""
        return clip in self.take_all([clip])

    def take_all(self, clips: Sequence[str]) -> set[str]:
        """Claim those of the clips that nobody else has claimed; gives all that are this receiver's then."""
        free = or_(TurnRow.owner.is_(None), TurnRow.owner == self.owner)
        return self._set_owner(TurnRow.clip.in_(clips), free)

    def take_over(self, claim: Claim) -> bool:
        """Claim a clip from another, unless that one, or a third, has stirred meanwhile."""
        which = TurnRow.clip == claim.clip, TurnRow.owner == claim.owner, TurnRow.beat == claim.beat
        return bool(self._set_owner(*which))

    def holds(self, clip: str) -> bool:
        """Whether this receiver is at a clip, still."""
        with self._database.reading() as session:
            return session.execute(_OWNER, {"clip": clip}).scalar() == self.owner

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
        whose = {"clip": clip, "owner": self.owner}
        if session.execute(_SETTLED, whose).first() is None and session.execute(_OWNER, whose).first() is not None:
            raise TakenOverError(f"clip {clip} is answered by another receiver, which took this one for dead")

    def _set_owner(self, *which: ColumnElement[bool]) -> set[str]:
        with self._database.writing() as session:
            done = session.scalars(
                update(TurnRow).where(*which).values(owner=self.owner, beat=TurnRow.beat + 1).returning(TurnRow.clip)
            )
            return set(done)


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
