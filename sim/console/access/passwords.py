"""Passwords, kept as their argon2id hashes."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from sim.errors import AccountError

SHORTEST, LONGEST = 12, 256
"""Characters."""
_AT_ONCE = 2
"""Each takes 64 MiB while it is hashed, so a crowd that logs in waits rather than filling the memory."""


class Passwords:
    """Hashes and checks, a few at once."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Take a hasher; by default argon2id at the second set of parameters that RFC 9106 recommends."""
        self._hasher = hasher or PasswordHasher()
        self._few = threading.Semaphore(_AT_ONCE)
        self.nobodys = self._hasher.hash("the password of nobody")
        """A hash to check against where there is no account, so that this takes as long."""

    def hash(self, password: str) -> str:
        """Hash a new password; raises AccountError for one that is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise AccountError(
                f"a password has {SHORTEST} to {LONGEST} characters, this one {len(password)}; choose another"
            )
        return self._hasher.hash(password)

    def fits(self, hashed: str, password: str) -> bool:
        """Whether this is the password."""
        with self._few:
            try:
                return self._hasher.verify(hashed, password[:LONGEST])
            except (Argon2Error, InvalidHashError, UnicodeEncodeError):
                return False
