"""The people who may use the console, and whether somebody is who they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from sim.cloud.database import rows_of
from sim.cloud.schema import AccountRow, SessionRow
from sim.cloud.store import ClipStore
from sim.console.access import totp
from sim.console.access.passwords import Passwords
from sim.errors import AccountError

Role: TypeAlias = Literal["customer", "annotator", "lead", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_VAULT = "console"
"""Whose key closes the secrets of the second factor."""


@dataclass(frozen=True)
class Account:
    """Somebody who may use the console; `customer` is the account number of whose recordings a customer sees."""

    name: str
    role: Role
    customer: str | None
    disabled: bool


class Accounts:
    """The accounts of a store; methods raise StoreAwayError while it cannot be used."""

    def __init__(self, store: ClipStore, passwords: Passwords, now: Callable[[], datetime]) -> None:
        self._store, self._passwords, self._now = store, passwords, now
        self._nobodys = self._seal(totp.new_secret())

    def add(self, name: str, role: str, password: str, customer: str | None = None) -> bytes:
        """Make an account, and give the secret of its second factor; raises AccountError where that cannot be."""
        if not _NAME.fullmatch(name):
            raise AccountError(
                f"an account's name is 1 to 40 of a-z, 0-9, '.', '_' and '-', not {name[:60]!r}; choose another"
            )
        if role not in ROLES:
            raise AccountError(f"there is no role {role[:60]!r}; there are: {', '.join(ROLES)}")
        if (role == "customer") != (customer is not None):
            raise AccountError("a customer, and nobody else, needs the account number of whose recordings: --customer")
        if customer is not None:
            self._store.customers.get(customer)
        secret = totp.new_secret()
        row = AccountRow(
            name=name,
            role=role,
            customer=customer,
            password=self._passwords.hash(password),
            totp=self._seal(secret),
            step=None,
            disabled=False,
        )
        with self._store.database.writing() as session:
            if session.get(AccountRow, name) is not None:
                raise AccountError(f"there is an account {name} already; choose another name, or: account reset {name}")
            session.add(row)
        return secret

    def all(self) -> list[Account]:
        """Give every account, ordered by name."""
        with self._store.database.reading() as session:
            return [account_of(row) for row in rows_of(session, select(AccountRow).order_by(AccountRow.name))]

    def knows(self, name: str) -> bool:
        """Whether there is an account of this name."""
        with self._store.database.reading() as session:
            return session.get(AccountRow, name) is not None

    def disable(self, name: str) -> None:
        """Let somebody in no more, and end their sessions; raises AccountError where there is no such account."""
        with self._store.database.writing() as session:
            _row(session, name).disabled = True
            _end_sessions(session, name)

    def reset(self, name: str, password: str) -> bytes:
        """Give an account a new password and a new second factor, whose secret this gives; let it in again."""
        hashed, secret = self._passwords.hash(password), totp.new_secret()
        with self._store.database.writing() as session:
            row = _row(session, name)
            row.password, row.totp, row.step, row.disabled = hashed, self._seal(secret), None, False
            _end_sessions(session, name)
        return secret

    def check(self, name: str, password: str, code: str) -> Account | None:
        """Give who this is, None where a word or the code is wrong, or was used; each costs the same."""
        now = self._now()
        with self._store.database.reading() as session:
            row = session.get(AccountRow, name) if _NAME.fullmatch(name) else None
            known = None if row is None or row.disabled else account_of(row)
            hashed = self._passwords.nobodys if row is None else row.password
            sealed = self._nobodys if row is None or row.totp is None else row.totp
        fits = self._passwords.fits(hashed, password)
        secret = self._open(sealed)
        step = None if secret is None else totp.matching_step(secret, code, now)
        return known if known is not None and fits and step is not None and self._use(known.name, step) else None

    def _use(self, name: str, step: int) -> bool:
        """Use up a step: neither it nor one before it is taken again, whoever else is about to."""
        unused = or_(AccountRow.step.is_(None), AccountRow.step < step)
        using = update(AccountRow).where(AccountRow.name == name, unused).values(step=step).returning(AccountRow.name)
        with self._store.database.writing() as session:
            return session.execute(using).first() is not None

    def _seal(self, secret: bytes) -> str:
        return self._store.vault.key_of(_VAULT).close(secret).hex()

    def _open(self, sealed: str) -> bytes | None:
        return self._store.vault.key_of(_VAULT).open(bytes.fromhex(sealed))


def account_of(row: AccountRow) -> Account:
    """Give an account as it is told to others."""
    role = next((role for role in ROLES if role == row.role), None)
    if role is None:
        raise AccountError(f"the account {row.name} has the role {row.role!r}, which there is not")
    return Account(row.name, role, row.customer, row.disabled)


def _row(session: Session, name: str) -> AccountRow:
    row = session.get(AccountRow, name)
    if row is None:
        raise AccountError(f"there is no account {name[:60]}; list them with: misheard console account list")
    return row


def _end_sessions(session: Session, name: str) -> None:
    session.execute(delete(SessionRow).where(SessionRow.account == name))
