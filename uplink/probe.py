"""A look at a broker from outside: whether it is there, and what its certificate says; nothing is sent to it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from uplink.address import Access, Address
from uplink.errors import LinkError
from uplink.tls import client_context, fault_sentence


@dataclass(frozen=True)
class Reached:
    """A broker that answers; `until`: the last day of its certificate, None without TLS."""

    address: Address
    until: datetime | None


def probe(url: str, access: Access, timeout_s: float = 5.0) -> Reached:
    """Connect, as far as TLS; raises LinkError or AddressError with the sentence that a device would say."""
    address = Address.parse(url, allow_plain=access.allow_plain)
    try:
        with socket.create_connection((address.host, address.port), timeout_s) as wire:
            if not address.secure:
                return Reached(address, None)
            with client_context(access, address).wrap_socket(wire, server_hostname=address.host) as closed:
                end = (closed.getpeercert() or {}).get("notAfter")
                until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(end)), UTC) if end else None
                return Reached(address, until)
    except ssl.SSLError as error:
        raise LinkError(fault_sentence(error, address)) from None
    except OSError as error:
        why = error.strerror or "no answer in time"
        raise LinkError(f"no broker answers at {address} ({why}); start it, or name another as uplink.broker") from None
