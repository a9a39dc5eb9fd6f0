"""Who is logged in: random tokens, of which the database holds the hash alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from sim.cloud.database import Database
from sim.cloud.schema import AccountRow, SessionRow, stamp
from sim.console.access.accounts import Account, account_of

_SEEN_ANEW = timedelta(seconds=30)
"""So often it is written down that somebody is still there: a write for each request would be too many."""


@dataclass(frozen=True)
class Limits:
    """A session ends so many minutes after its last request, and at the latest so many hours after it began."""

    idle_minutes: float = 30.0
    hours: float = 10.0


@dataclass(frozen=True)
class Who:
    """Somebody who is logged in; `csrf` is what a request that changes something has to bring along."""

    account: Account
    csrf: str


class Sessions:
    """The sessions of a store; methods raise StoreAwayError while it cannot be used."""

    def __init__(self, database: Database, now: Callable[[], datetime], limits: Limits | None = None) -> None:
        self._database, self._now, self._limits = database, now, limits or Limits()

    def begin(self, account: str) -> str:
        """Begin a session, and give its token; sessions that have ended are forgotten."""
        token, now = secrets.token_urlsafe(32), self._now()
        ends = stamp(now + timedelta(hours=self._limits.hours))
        with self._database.writing() as session:
            session.execute(
                delete(SessionRow).where(or_(SessionRow.ends < stamp(now), SessionRow.seen < self._idle(now)))
            )
            session.add(SessionRow(token=_hash(token), account=account, begun=stamp(now), seen=stamp(now), ends=ends))
        return token

    def who(self, token: str, *, watching: bool = False) -> Who | None:
        """Give whose token this is, None where it is nobody's, or has ended; who is watching only is not seen."""
        now, hashed = self._now(), _hash(token)
        with self._database.reading() as session:
            found = session.execute(
                select(SessionRow.seen, AccountRow)
                .join(AccountRow, AccountRow.name == SessionRow.account)
                .where(SessionRow.token == hashed, SessionRow.ends >= stamp(now), SessionRow.seen >= self._idle(now))
                .where(~AccountRow.disabled)
            ).first()
            if found is None:
                return None
            seen, account = found[0], account_of(found[1])
        if not watching and seen < stamp(now - _SEEN_ANEW):
            with self._database.writing() as session:
                session.execute(update(SessionRow).where(SessionRow.token == hashed).values(seen=stamp(now)))
        return Who(account, _csrf(token))

    def end(self, token: str) -> None:
        """End a session."""
        with self._database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.token == _hash(token)))

    def _idle(self, now: datetime) -> str:
        return stamp(now - timedelta(minutes=self._limits.idle_minutes))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _csrf(token: str) -> str:
    return hmac.new(token.encode("utf-8", "replace"), b"misheard console form", hashlib.sha256).hexdigest()
