"""TLS to a broker: the context, and what goes wrong in it as one sentence with its mend."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from uplink.address import Access, Address
from uplink.errors import AddressError

# Of X509_verify_cert, openssl/x509_vfy.h.
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME = {62, 64}  # of the host, and of the IP address

_ALERTS = {
    "CERTIFICATE_REQUIRED": "wants a certificate of this end; name its files as certificate_file and key_file",
    "CERTIFICATE_REVOKED": "says that the certificate of this end is revoked; have another issued",
    "CERTIFICATE_EXPIRED": "says that the certificate of this end has expired; have another issued, or check its clock",
    "UNKNOWN_CA": "does not know the authority that issued the certificate of this end; have its authority issue one",
    "HANDSHAKE_FAILURE": "does not accept the certificate of this end; name one that its authority issued as "
    "certificate_file",
}
"""By the end of OpenSSL's name of an alert that the broker sent."""


class TellingSocket(ssl.SSLSocket):
    """Keeps the TLS error that ended it, which an MQTT library throws away."""

    fault: ssl.SSLError | None = None

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        """As its base."""
        try:
            return super().recv(*args, **kwargs)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            self.fault = error
            raise


def client_context(access: Access, address: Address) -> ssl.SSLContext:
    """A context that checks the broker's certificate and host name, and shows this end's own.

    Raises AddressError where a file is not there, or is not what it should be, and where a broker on another machine
    would not learn who this end is.
    """
    nameless = access.certificate_file is None and access.key_file is None and not (access.named and address.user)
    if nameless and not address.loopback:
        raise AddressError(
            f"{address} is on another machine, where this end needs a certificate; name its files as "
            "certificate_file and key_file"
        )
    try:
        context = ssl.create_default_context(cafile=access.ca_file)
    except ssl.SSLError:
        raise AddressError(f"{access.ca_file} holds no certificate; name a PEM file as ca_file") from None
    except OSError as error:
        raise AddressError(_unreadable(access.ca_file, "ca_file", error)) from None
    context.sslsocket_class = TellingSocket
    if access.key_file is not None and access.certificate_file is None:
        raise AddressError(f"{access.key_file} is a key without certificate; name that as certificate_file")
    if access.certificate_file is not None:
        _show(context, access.certificate_file, access.key_file or access.certificate_file)
    return context


def _show(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for file, setting in ((certificate, "certificate_file"), (key, "key_file")):
        try:
            file.read_bytes()
        except OSError as error:
            raise AddressError(_unreadable(file, setting, error)) from None
    try:
        context.load_cert_chain(certificate, key, password=_ask_nobody)
    except _LockedError:
        raise AddressError(f"the key {key} is locked by a password; store it without one, mode 600") from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise AddressError(f"the key {key} is not that of {certificate}; name both of one pair") from None
        raise AddressError(
            f"{certificate} and {key} are no certificate and key; name PEM files as certificate_file and key_file"
        ) from None


class _LockedError(Exception):
    pass


def _ask_nobody() -> str:
    """Without this, OpenSSL asks on the terminal."""
    raise _LockedError


def _unreadable(file: Path | None, setting: str, error: OSError) -> str:
    return f"{file} cannot be read ({error.strerror}); name a PEM file as {setting}"


def fault_sentence(error: ssl.SSLError, address: Address) -> str:
    """Say what TLS found wrong with a broker, or the broker with this end."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(error, address)
    reason = error.reason or ""
    for alert, words in _ALERTS.items():
        if reason.endswith(alert):
            return f"the broker at {address} {words}"
    if "ALERT" in reason:
        said = reason.rpartition("ALERT_")[2].replace("_", " ").lower()
        return f"the broker at {address} refuses in TLS ({said}); its log says more"
    return no_tls(address, reason.replace("_", " ").lower() or str(error))


def no_tls(address: Address, why: str) -> str:
    """Say that something listens there, and that it is no TLS."""
    return f"what answers at {address} speaks no TLS ({why}); name the port where the broker does, 8883 as a rule"


def _distrust(error: ssl.SSLCertVerificationError, address: Address) -> str:
    if error.verify_code == _EXPIRED:
        return f"the certificate of the broker at {address} has expired; renew it there, or check the clock here"
    if error.verify_code == _NOT_YET_VALID:
        return f"the certificate of the broker at {address} is not valid yet; check the clock here and there"
    if error.verify_code in _OTHER_NAME:
        return (
            f"the certificate of the broker at {address} is for another name; name the broker as its certificate does, "
            f"or have one issued for {address.host}"
        )
    return (
        f"the certificate of the broker at {address} is not from an authority that is trusted here "
        f"({error.verify_message}); name the authority's certificate as ca_file"
    )
