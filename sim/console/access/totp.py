"""The second factor: codes of six digits that change every half minute (RFC 6238, with HMAC-SHA-1 as apps know it)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from urllib.parse import quote

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
"""As long as the hash, as RFC 4226 recommends."""
_DRIFT = 1
"""Steps by which a phone's clock may be off."""


def new_secret() -> bytes:
    """Make a secret."""
    return secrets.token_bytes(SECRET_BYTES)


def step_at(moment: datetime) -> int:
    """The step of a moment: whole half minutes since 1970."""
    return int(moment.timestamp()) // STEP_S


def code_of(secret: bytes, step: int) -> str:
    """The code of a step."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: bytes, code: str, moment: datetime) -> int | None:
    """The step that a code is of, one before and one after now included; None where it is of none.

    Every step is compared, so that the time taken says nothing.
    """
    given = "".join(code.split()).encode("utf-8", "replace")
    found = None
    for step in range(step_at(moment) - _DRIFT, step_at(moment) + _DRIFT + 1):
        if hmac.compare_digest(code_of(secret, step).encode(), given):
            found = step
    return found


def written(secret: bytes) -> str:
    """The secret as it is typed into an app."""
    return base64.b32encode(secret).decode()


def uri(secret: bytes, name: str) -> str:
    """The secret as apps read it from a picture."""
    return f"otpauth://totp/misheard:{quote(name)}?secret={written(secret)}&issuer=misheard&digits={DIGITS}&period={STEP_S}"
