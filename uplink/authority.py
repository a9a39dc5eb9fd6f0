"""A certificate authority for development, in a folder: who may speak to a broker, and who no longer.

``authority.crt``, ``authority.key``, ``authority.crl`` (the revocation list), for each name ``NAME.crt`` and
``NAME.key``, and in ``issued/`` every certificate there has been, so that all of a name can be revoked. Keys have mode
600. Of two at work in one folder, the later writes last.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from uplink.errors import UplinkError

if TYPE_CHECKING:
    from uplink.certificates import Pair

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?|::1?")
_AUTHORITY = "authority"
_AUTHORITY_DAYS = 3650
_DAYS = 825


class AuthorityError(UplinkError):
    """An authority that is not there, or cannot do what is asked."""

    exit_code = 2


class Authority:
    """The authority in a folder. Every method raises AuthorityError, one sentence, where something is in the way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / "authority.crt"
        self.crl = folder / "authority.crl"

    def new(self, now: datetime, days: int = _AUTHORITY_DAYS, crl_url: str | None = None) -> datetime:
        """Make it; gives until when it is valid."""
        from uplink.certificates import end_of, new_authority

        if self.certificate.exists():
            raise AuthorityError(f"there is an authority in {self.folder} already; name another folder")
        pair, crl = new_authority("misheard development authority", now, days, crl_url)
        self._keep(_AUTHORITY, pair)
        self._write(self.crl, crl, 0o644)
        return end_of(pair.certificate)

    def issue(self, name: str, now: datetime, hosts: Sequence[str] = (), days: int = _DAYS) -> datetime:
        """Issue a client's certificate, or with `hosts` a broker's, at most as long valid as the authority is.

        An earlier one of that name stays valid beside it. Gives until when it is valid.
        """
        from uplink.certificates import end_of, issue, serial_of

        _check(name)
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise AuthorityError(f"{host} is no host name and no address; name one such as broker.example")
        try:
            pair = issue(self._pair(), self._read(self.crl), name, hosts, now, days)
        except ValueError as error:
            raise self._damaged(error) from None
        self._keep(name, pair)
        self._write(self._issued(name) / f"{serial_of(pair.certificate)}.crt", pair.certificate, 0o644)
        return end_of(pair.certificate)

    def revoke(self, name: str, now: datetime) -> int:
        """Put every certificate of a name on the revocation list; gives how many of them were not there yet."""
        from uplink.certificates import is_revoked, revoke

        _check(name)
        crl = self._read(self.crl)
        certificates = [self._read(file) for file in sorted(self._issued(name).glob("*.crt"))]
        if not certificates:
            raise AuthorityError(f"the authority in {self.folder} has issued nothing to {name}; see issued/ there")
        try:
            fresh = [pem for pem in certificates if not is_revoked(crl, pem)]
            if fresh:
                self._write(self.crl, revoke(self._pair(), crl, fresh, now), 0o644)
        except ValueError as error:
            raise self._damaged(error) from None
        return len(fresh)

    def _issued(self, name: str) -> Path:
        return self.folder / "issued" / name

    def _pair(self) -> Pair:
        from uplink.certificates import Pair

        return Pair(self._read(self.certificate), self._read(self.folder / "authority.key"))

    def _read(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except FileNotFoundError:
            raise AuthorityError(
                f"there is no {file}; make an authority with: misheard keys authority new {self.folder}"
            ) from None
        except OSError as error:
            raise AuthorityError(f"{file} cannot be read ({error.strerror})") from None

    def _keep(self, name: str, pair: Pair) -> None:
        self._write(self.folder / f"{name}.key", pair.key, 0o600)
        self._write(self.folder / f"{name}.crt", pair.certificate, 0o644)

    def _write(self, file: Path, content: bytes, mode: int) -> None:
        """Whole or not at all, and never readable by others for a moment."""
        beside = file.with_name(f"{file.name}.new")
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            beside.unlink(missing_ok=True)
            with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as out:
                out.write(content)
            beside.replace(file)
        except OSError as error:
            raise AuthorityError(f"{file} cannot be written ({error.strerror}); name a folder that can be") from None

    def _damaged(self, error: ValueError) -> AuthorityError:
        return AuthorityError(f"the authority in {self.folder} is damaged ({error}); make a new one in another folder")


def _check(name: str) -> None:
    if name == _AUTHORITY or not _NAME.fullmatch(name):
        raise AuthorityError(
            f"{name!r} is no name of a device, a far end or a broker; it has lower-case letters, digits and hyphens, "
            f"at most 40, and is not {_AUTHORITY}"
        )


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``authority`` to ``misheard keys``."""
    parser = subparsers.add_parser(
        "authority",
        help="certificates for brokers, devices and far ends",
        description="A certificate authority in a folder, for a broker of your own. For more, use a real one.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="new|issue|revoke", required=True)
    new = deeds.add_parser("new", help="make an authority, with an empty revocation list")
    issue = deeds.add_parser("issue", help="issue a certificate to a device, a far end or a broker")
    revoke = deeds.add_parser("revoke", help="put all certificates of a name on the revocation list")
    for each, run in ((new, _run_new), (issue, _run_issue), (revoke, _run_revoke)):
        each.add_argument("folder", type=Path, metavar="DIR", help="the authority's folder")
        each.set_defaults(run=run)
    for each in (issue, revoke):
        each.add_argument("name", metavar="NAME", help="the device's name, far-end, or a name for the broker")
    for each, days in ((new, _AUTHORITY_DAYS), (issue, _DAYS)):
        each.add_argument("--days", type=_days, default=days, metavar="N", help=f"how long it is valid [{days}]")
    new.add_argument("--crl-url", metavar="URL", help="where brokers fetch the list, if they must (EMQX)")
    issue.add_argument(
        "--host", action="append", default=[], metavar="HOST", help="a name or address of the broker; may be repeated"
    )


def _days(text: str) -> int:
    days = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= days <= 36_500:
        raise argparse.ArgumentTypeError(f"{text} is no number of days from 1 to 36500")
    return days


def _run_new(args: argparse.Namespace) -> int:
    authority = Authority(args.folder)
    end = authority.new(datetime.now(UTC), args.days, args.crl_url)
    print(f"{authority.certificate} and {authority.crl} are valid until {end:%Y-%m-%d}; keep {args.folder} to yourself")
    return 0


def _run_issue(args: argparse.Namespace) -> int:
    end = Authority(args.folder).issue(args.name, datetime.now(UTC), args.host, args.days)
    print(f"{args.folder / args.name}.crt and .key are valid until {end:%Y-%m-%d}")
    return 0


def _run_revoke(args: argparse.Namespace) -> int:
    authority = Authority(args.folder)
    count = authority.revoke(args.name, datetime.now(UTC))
    print(f"{count} revoked; give {authority.crl} to the broker, and restart it")
    return 0
