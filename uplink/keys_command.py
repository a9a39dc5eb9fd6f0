"""`misheard keys`: the keys with which a device and a far end know each other."""

from __future__ import annotations

import argparse
from pathlib import Path

from uplink import authority
from uplink.errors import KeysError
from uplink.keyring import Keyring
from uplink.keys import PrivateKey, PublicKey

_WHOSE = ("device", "far-end")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``keys`` to the commands."""
    parser = subparsers.add_parser(
        "keys",
        help="make, show, trust, replace and forget keys",
        description="A device and a far end on a broker believe each other by keys. Make one for each with new, bring "
        "each one's .pub file to the other, and trust it there. With --broker embedded all that happens by itself.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="new|show|trust|rotate|forget|authority", required=True)
    new = deeds.add_parser("new", help="make a key")
    show = deeds.add_parser("show", help="show fingerprints: its own, and whom it trusts")
    trust = deeds.add_parser("trust", help="trust the key of the other end")
    rotate = deeds.add_parser("rotate", help="replace the key; what was sealed to the one before can still be opened")
    forget = deeds.add_parser("forget", help="forget an old key, or one that is trusted")
    for each, run in ((new, _new), (show, _show), (trust, _trust), (rotate, _rotate), (forget, _forget)):
        each.add_argument("whose", choices=_WHOSE, help="whose keys these are")
        each.add_argument("--name", default="echo-dot", metavar="NAME", help="of the device [echo-dot]")
        each.add_argument("--state", type=Path, metavar="DIR", help="the device's state directory [your user data]")
        each.add_argument("--store", type=Path, metavar="DIR", help="the far end's store [cloud in your user data]")
        each.set_defaults(run=run)
    trust.add_argument("file", type=Path, metavar="FILE.pub", help="what keys new wrote at the other end")
    forget.add_argument("what", metavar="WHAT", help="the fingerprint of an old key, or the name of who is trusted")
    authority.add_parser(deeds)


def _ring(args: argparse.Namespace) -> Keyring:
    import platformdirs

    data = platformdirs.user_data_path("misheard")
    if args.whose == "device":
        return Keyring.of_device(args.state or data, args.name)
    return Keyring.of_far_end(args.store or data / "cloud")


def _new(args: argparse.Namespace) -> int:
    return _handed_out(ring := _ring(args), ring.make())


def _rotate(args: argparse.Namespace) -> int:
    return _handed_out(ring := _ring(args), ring.rotate())


def _handed_out(ring: Keyring, key: PrivateKey) -> int:
    other = "far-end" if ring.side == "device" else "device"
    print(f"{key.name}  {key.fingerprint}")
    print(f"now, at the other end: misheard keys trust {other} {ring.public_file}")
    return 0


def _show(args: argparse.Namespace) -> int:
    ring = _ring(args)
    own = ring.own()
    print(f"own      {own.fingerprint}  {ring.name}  {ring.public_file}")
    for old in ring.old():
        print(f"old      {old.fingerprint}  {ring.name}")
    for peer in ring.peers():
        for age, key in enumerate(ring.all_trusted(peer)):
            print(f"{'was' if age else 'trusts':<8} {key.fingerprint}  {peer}")
    return 0


def _trust(args: argparse.Namespace) -> int:
    key = PublicKey.load(args.file)
    _ring(args).trust(key)
    print(f"trusts   {key.fingerprint}  {key.name}")
    return 0


def _forget(args: argparse.Namespace) -> int:
    ring = _ring(args)
    gone = ring.forget(args.what)
    if not gone:
        raise KeysError(f"{args.what} is neither an old key nor trusted; see: misheard keys show {ring.side}")
    print(f"forgot   {gone} key{'s' if gone > 1 else ''} of {args.what}")
    return 0
