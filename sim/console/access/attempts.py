"""How often somebody may try to log in: counted in the database, so for all programs at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, text, update

from sim.cloud.database import Database
from sim.cloud.schema import AttemptRow, stamp

# One statement, so that tries at the same time are counted one by one.
_COUNT = text(
    "INSERT INTO attempts (key, count, since) VALUES (:key, 1, :now) ON CONFLICT (key) DO UPDATE SET "
    "count = CASE WHEN attempts.since < :floor THEN 1 ELSE attempts.count + 1 END, "
    "since = CASE WHEN attempts.since < :floor THEN :now ELSE attempts.since END RETURNING count, since"
)


@dataclass(frozen=True)
class Limit:
    """So many tries for one name, and for one address, in so many minutes; one that succeeds counts for neither."""

    of_name: int = 5
    of_address: int = 50
    minutes: float = 15.0


class Attempts:
    """Counts tries; methods raise StoreAwayError while the database cannot be used."""

    def __init__(self, database: Database, now: Callable[[], datetime], limit: Limit | None = None) -> None:
        self._database, self._now, self._limit = database, now, limit or Limit()

    def count(self, name: str, address: str) -> int:
        """Count a try, before it is looked at; give for how many minutes it must not be, 0 where it may."""
        now, window = self._now(), timedelta(minutes=self._limit.minutes)
        wait = 0
        with self._database.writing() as session:
            session.execute(delete(AttemptRow).where(AttemptRow.since < stamp(now - window)))
            for key, most in ((_name(name), self._limit.of_name), (_address(address), self._limit.of_address)):
                facts = {"key": key, "now": stamp(now), "floor": stamp(now - window)}
                tries, since = session.execute(_COUNT, facts).one()
                if tries > most:
                    left = datetime.fromisoformat(since) + window - now
                    wait = max(wait, 1 + int(left.total_seconds() // 60))
        return wait

    def forgive(self, name: str, address: str) -> None:
        """Take back a try that succeeded, and those before it of the same name."""
        with self._database.writing() as session:
            session.execute(delete(AttemptRow).where(AttemptRow.key == _name(name)))
            one_less = update(AttemptRow).where(AttemptRow.key == _address(address), AttemptRow.count > 0)
            session.execute(one_less.values(count=AttemptRow.count - 1))


def _name(name: str) -> str:
    return f"name:{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _address(address: str) -> str:
    return f"address:{address[:64]}"
