"""What every sub-command of ``misheard review`` is told: which store, whose keys, which policy."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.cloud.store import ClipStore
    from sim.review.audit import Audit
    from sim.review.policy import ReviewPolicy
    from sim.review.signer import Signer


@dataclass(frozen=True)
class Opened:
    """A store, the far end's key, and the log of what is done with it."""

    store: ClipStore
    signer: Signer
    audit: Audit


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--store``, ``--database``, ``--keys`` and ``--vault``, as ``misheard cloud`` has them."""
    add = parser.add_argument
    add("--store", metavar="DIR|URL", help="where the clips are; by default as for misheard cloud")
    add("--database", metavar="URL", help="where the facts of the clips are; by default a SQLite file in the store")
    add("--keys", type=Path, metavar="DIR", help="what was --store to misheard keys; by default the store")
    add("--vault", metavar="URL", help="the database of the keys that close the clips; by default beside the far end's")


def add_policy_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--policy`` and ``--set``."""
    from device.command import pair

    add = parser.add_argument
    add("--policy", default="2019-april", metavar="P", help="a shipped policy's name, or a YAML file [2019-april]")
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="such as rate=0.01")


def policy_of(args: argparse.Namespace) -> ReviewPolicy:
    """Load the policy that was named; raises PolicyError."""
    from sim.review.policy import load_policy

    return load_policy(args.policy, args.set)


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[Opened]:
    """Open the store that was named; raises StoreError where there is none, rather than making one."""
    import platformdirs

    from sim.cloud.store import ClipStore
    from sim.errors import StoreError
    from sim.review.deletion import log_deletions
    from sim.review.signer import Signer
    from uplink.keyring import Keyring

    own = platformdirs.user_data_path("misheard") / "cloud"
    root = args.store or own
    local = "://" not in str(root)
    if local and not (Path(root) / "store.sqlite" if args.database is None else Path(root)).exists():
        raise StoreError(f"there is no store in {root}; name one with --store, or make one: misheard sim --store DIR")
    signer = Signer.of(Keyring.of_far_end(args.keys or (Path(root) if local else own)))
    store = ClipStore(root, args.database, args.vault or signer.keys.folder, lambda: datetime.now(UTC))
    try:
        review = Opened(store, signer, audit_of(store, signer))
        log_deletions(store.database, review.audit)  # those that were ordered by voice, while nobody kept the log
        yield review
    finally:
        store.close()


def audit_of(store: ClipStore, signer: Signer) -> Audit:
    """The log of a store; its end is noted beside the far end's key, and among your own state, away from the store."""
    import platformdirs

    from sim.review.audit import Audit

    own = signer.keys.own()  # which a store that was made anew has anew
    shown = store.database.shown
    place = shown if "://" in shown else Path(shown).absolute()
    name = hashlib.sha256(f"{own.fingerprint} {place}".encode()).hexdigest()[:16]
    elsewhere = platformdirs.user_state_path("misheard") / "audit" / f"{name}.head"
    return Audit(store.database, signer, (signer.keys.folder / "audit.head", elsewhere))
