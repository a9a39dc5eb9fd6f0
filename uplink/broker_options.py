"""The options of every command that speaks to a broker."""

from __future__ import annotations

import argparse
from pathlib import Path

from uplink.address import Access
from uplink.profiles import PROFILES


def add_broker_options(parser: argparse.ArgumentParser, who: str) -> None:
    """Add ``--broker`` and what it takes to be let in there; `who` shows the certificate."""
    add = parser.add_argument
    add("--broker", required=True, metavar="URL", help="mqtt://HOST:PORT on this machine, else mqtts://HOST:PORT")
    add("--broker-profile", choices=sorted(PROFILES), default="mosquitto", help="what the broker takes [mosquitto]")
    add("--ca-file", type=Path, metavar="FILE", help="PEM: whom to believe that the broker is itself [the system's]")
    add("--certificate-file", type=Path, metavar="FILE", help=f"PEM: who {who} is; needed on another machine")
    add("--key-file", type=Path, metavar="FILE", help="PEM: the certificate's key, where it is not in the same file")
    add("--allow-plain", action="store_true", help="speak to a broker on another machine without TLS")


def access_of(args: argparse.Namespace) -> Access:
    """What these options say."""
    return Access(
        ca_file=args.ca_file,
        certificate_file=args.certificate_file,
        key_file=args.key_file,
        allow_plain=args.allow_plain,
        limits=PROFILES[args.broker_profile],
    )
