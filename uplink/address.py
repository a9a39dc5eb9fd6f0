"""Where a broker is, as ``mqtt://`` and ``mqtts://`` URLs, and what it takes to be let in."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from uplink.errors import AddressError
from uplink.profiles import PROFILES, Limits

_SHOWN = 120
"""Characters of an address in a sentence."""
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class Access:
    """What it takes to be let in by a broker, beside its URL, and what the broker takes.

    `ca_file` says whom to believe that the broker is the one it says (none: the authorities of this system), the other
    two files who this end is; all are PEM, and read again at each connection. `allow_plain` lets what is heard leave
    this machine without TLS. `named` is whether a user of the URL says who this end is, in place of a certificate.
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    allow_plain: bool = False
    named: bool = False
    limits: Limits = PROFILES["embedded"]


ANYBODY = Access()
"""No certificate and no file: enough on loopback."""


@dataclass(frozen=True)
class Address:
    """A broker's address; as text it never shows the password."""

    host: str
    port: int
    secure: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str, *, allow_plain: bool = False) -> Address:
        """Read ``mqtt[s]://[user[:password]@]host[:port]``.

        Raises AddressError where it is none, or where, without `allow_plain`, plain text would leave this machine.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
            (host or "").encode("idna")
        except ValueError as error:  # UnicodeError, of idna, among them
            raise AddressError(
                f"the broker address cannot be read ({str(error)[:_SHOWN]}); write mqtt://HOST:PORT"
            ) from None
        more = parts.path.strip("/") or parts.query or parts.fragment
        if parts.scheme not in _PORTS or not host or port == 0 or more:
            raise AddressError(
                f"the broker address {_shown(url)!r} is none; write mqtt[s]://[USER:PASSWORD@]HOST[:PORT]"
            )
        address = cls(
            host=host,
            port=port or _PORTS[parts.scheme],
            secure=parts.scheme == "mqtts",
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
        )
        if not address.secure and not address.loopback and not allow_plain:
            raise AddressError(
                f"{address} would send what is heard to another machine unprotected; use mqtts://{host} instead, or "
                "say allow_plain"
            )
        return address

    @property
    def loopback(self) -> bool:
        """Whether it names this very machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.secure else 'mqtt'}://{host}:{self.port}"


def _shown(url: str) -> str:
    """Leave out what may be a password, and what is too long to be read."""
    scheme, slashes, rest = url.rpartition("//")
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}"[:_SHOWN]
