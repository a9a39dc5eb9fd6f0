"""Everything the console's pages work with, put together once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sim.cloud.store import ClipStore
from sim.cloud.turn import REACHES, Reach
from sim.console.access.accounts import Accounts
from sim.console.access.attempts import Attempts, Limit
from sim.console.access.door import Door
from sim.console.access.passwords import Passwords
from sim.console.access.sessions import Limits, Sessions
from sim.console.views import Views
from sim.review.audit import Audit
from sim.review.chain import Entry
from sim.review.desk import Desk
from sim.review.policy import ReviewPolicy
from sim.review.signer import Signer
from uplink.message import JSON


@dataclass(frozen=True)
class Programme:
    """The store with its desk, its log, and those who may use them; `run`: a run directory to be shown.

    reaches: what a deletion goes for.
    """

    store: ClipStore
    policy: ReviewPolicy
    signer: Signer
    audit: Audit
    desk: Desk
    accounts: Accounts
    sessions: Sessions
    door: Door
    views: Views
    now: Callable[[], datetime]
    run: Path | None
    reaches: tuple[Reach, ...]

    @classmethod
    def of(
        cls,
        store: ClipStore,
        policy: ReviewPolicy,
        signer: Signer,
        audit: Audit,
        now: Callable[[], datetime],
        *,
        run: Path | None = None,
        reaches: tuple[Reach, ...] = REACHES,
        limits: Limits | None = None,
        limit: Limit | None = None,
        passwords: Passwords | None = None,
    ) -> Programme:
        """Put it together; `now` is aware UTC."""
        accounts = Accounts(store, passwords or Passwords(), now)
        sessions = Sessions(store.database, now, limits)
        door = Door(accounts, sessions, Attempts(store.database, now, limit), audit, now)
        desk = Desk(store, policy, audit, now, random.SystemRandom())
        return cls(store, policy, signer, audit, desk, accounts, sessions, door, Views(), now, run, reaches)

    def note(
        self, who: str, role: str, action: str, clip: str | None = None, customer: str | None = None, **details: JSON
    ) -> None:
        """Write into the log what somebody does."""
        self.audit.record(Entry(who, role, action, clip, customer, details), self.now())
