"""The way in and out: tries are counted, name, password and code checked, and all of it is in the log."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from sim.console.access.accounts import Account, Accounts
from sim.console.access.attempts import Attempts
from sim.console.access.sessions import Sessions
from sim.errors import AccessError, TooOftenError
from sim.review.audit import Audit
from sim.review.chain import Entry

WRONG = "Name, password or code is wrong, or the code was used already; wait for the next code and try again."
_AT_ONCE = 4
"""So many are let in at the same time: the others wait, and so their tries are counted one after the other."""


class Door:
    """Lets people in; methods raise StoreAwayError while the store cannot be used."""

    def __init__(
        self, accounts: Accounts, sessions: Sessions, attempts: Attempts, audit: Audit, now: Callable[[], datetime]
    ) -> None:
        self._accounts, self._sessions, self._attempts = accounts, sessions, attempts
        self._audit, self._now = audit, now
        self._few = threading.Semaphore(_AT_ONCE)

    def enter(self, name: str, password: str, code: str, address: str) -> tuple[str, Account]:
        """Give the token of a new session, and whose; raises AccessError, and TooOftenError after too many tries."""
        with self._few:
            wait = self._attempts.count(name, address)
            account = None if wait else self._accounts.check(name, password, code)
            if account is None:
                # What is typed for a name may be a password: it is written down only where it is a name.
                self._note(name if self._accounts.knows(name) else "", "", "login_failed", address)
                if wait:
                    raise TooOftenError(f"That was tried too often; try again in {wait} minutes.")
                raise AccessError(WRONG)
            self._attempts.forgive(name, address)
            token = self._sessions.begin(account.name)
            self._note(account.name, account.role, "login", address)
        return token, account

    def leave(self, token: str) -> None:
        """End a session."""
        who = self._sessions.who(token, watching=True)
        self._sessions.end(token)
        if who is not None:
            self._note(who.account.name, who.account.role, "logout", "")

    def _note(self, who: str, role: str, action: str, address: str) -> None:
        self._audit.record(Entry(who, role, action, details={"address": address} if address else {}), self._now())
