"""``misheard review delete``, ``retain`` and ``statement``: what goes, for whom, and what is said of it in the end."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.review.options import Opened

_VERIFY = "verify"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``delete``, ``retain`` and ``statement`` to the commands."""
    from sim.review.options import add_store_options

    delete = subparsers.add_parser("delete", help="delete a customer's clips, wherever they are", allow_abbrev=False)
    whose = delete.add_mutually_exclusive_group(required=True)
    whose.add_argument("--customer", metavar="N", help="an account number: A and 10 digits")
    whose.add_argument("--device", metavar="D", help="a device, for its customer: of this one's clips")
    which = delete.add_mutually_exclusive_group(required=True)
    which.add_argument("--clip", metavar="ID", help="one clip")
    which.add_argument("--day", metavar="YYYY-MM-DD", help="what was said on a day")
    which.add_argument("--all", action="store_true", help="everything; of a customer, his key goes too")
    delete.add_argument("--zone", metavar="NAME", help="the home's time zone, such as Europe/Rome [this machine's]")
    delete.set_defaults(run=_delete)

    retain = subparsers.add_parser("retain", help="delete what was kept long enough", allow_abbrev=False)
    retain.add_argument(
        "--keep", metavar="HOW", help="3-months, 18-months, never or a number of days, where a customer chose nothing"
    )
    retain.set_defaults(run=_retain)
    for each in (delete, retain):
        each.add_argument(
            "--config",
            metavar="F",
            help="the far-end profile or YAML file that says what a deletion reaches [everything]",
        )

    statement = subparsers.add_parser("statement", help="what became of a deletion, signed", allow_abbrev=False)
    statement.add_argument("what", nargs="?", metavar="ID|verify", help="a deletion; without it, all are listed")
    statement.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the statement to verify")
    statement.add_argument("--out", type=Path, metavar="F", help="where to write it [the terminal]")
    statement.add_argument(
        "--key", type=Path, metavar="F", help="the far end's public key, where its store is not at hand"
    )
    statement.set_defaults(run=_statement)
    for each in (delete, retain, statement):
        add_store_options(each)


def _delete(args: argparse.Namespace) -> int:
    from sim.cloud.order import Order
    from sim.errors import StoreError
    from sim.review.deletion import delete
    from sim.review.options import opened

    now = datetime.now(_zone(args.zone))
    reaches = _settings(args).reaches
    with opened(args) as review:
        customers = review.store.customers
        devices: tuple[str, ...] = ()
        if args.device is not None:
            owners = [each for each in customers.all() if args.device in [device.name for device in each.devices]]
            if not owners:
                raise StoreError(f"no device is called {args.device}; name one that has sent something, or a customer")
            number = owners[0].number
            devices = (args.device,)
        else:
            number = customers.get(args.customer).number
        scope: Any = "clip" if args.clip else "day" if args.day else "all"
        order = Order("command", _user(), scope, now, number, devices, args.clip or "", _day(args.day), reaches=reaches)
        deletion = delete(review.store, review.audit, order)
        count = _show(review, [deletion])
    if args.clip and not count:
        raise StoreError(f"{number} has no clip {args.clip}; nothing was deleted")
    return 0


def _retain(args: argparse.Namespace) -> int:
    from sim.review.options import opened
    from sim.review.retention import days_of, retain

    settings = _settings(args)
    default = settings.keep_days if args.keep is None else days_of(args.keep)
    with opened(args) as review:
        deletions = retain(review.store, review.audit, datetime.now(UTC), default, settings.reaches)
        _show(review, deletions)
    if not deletions:
        print("nothing has been kept long enough to go")
    return 0


def _statement(args: argparse.Namespace) -> int:
    from sim.errors import StatementError
    from sim.review.options import opened
    from sim.review.statement import deletions, statement_of, write

    if args.what == _VERIFY:
        if args.file is None:
            raise StatementError("name the file: misheard review statement verify FILE")
        return _verify(args)
    if args.file is not None:
        raise StatementError(f"there is no command {args.what} for a file; verify is the only one")
    with opened(args) as review:
        if args.what is None:
            for each in deletions(review.store):
                print(f"{each.id}  {each.utc[:19]}Z  {each.customer}  {each.by:<9} {each.scope:<7} {each.state}")
            return 0
        text = write(statement_of(review.store, review.signer, args.what))
    if args.out is None:
        print(text, end="")
    else:
        args.out.write_text(text, encoding="utf-8")
        print(args.out)
    return 0


def _verify(args: argparse.Namespace) -> int:
    from sim.review.options import opened
    from sim.review.statement import is_genuine, read
    from uplink.keys import PublicKey

    statement = read(args.file)
    if args.key is not None:
        genuine = is_genuine(statement, PublicKey.load(args.key))
    else:
        with opened(args) as review:
            genuine = is_genuine(statement, review.signer)
    print("the far end signed exactly this" if genuine else "the far end did not sign this, or it was changed since")
    return 0 if genuine else 1


def _show(review: Opened, deletions: Sequence[str]) -> int:
    """Print what became of deletions, and give how many clips they meant."""
    from rich.console import Console
    from rich.table import Table

    from sim.review.statement import clips_of

    console, count = Console(highlight=False), 0
    for deletion in deletions:
        clips = clips_of(review.store, deletion)
        count += clips
        console.print(f"deletion {deletion}: {clips} clip{'' if clips == 1 else 's'}", soft_wrap=True)
        table = Table("place", "what became of it", "how much", "", box=None, pad_edge=False)
        for each in review.store.deletions.places(deletion):
            table.add_row(each.place, each.state, str(each.count) if each.count else "", each.why)
        console.print(table)
        console.print(f"the statement: misheard review statement {deletion}", soft_wrap=True)
    return count


def _settings(args: argparse.Namespace) -> Any:
    from sim.cloud.settings import DeletionSettings, load_cloud

    return DeletionSettings() if args.config is None else load_cloud(args.config).deletion


def _zone(name: str | None) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from sim.errors import ReviewWishError

    if name is None:
        here = datetime.now(UTC).astimezone().tzinfo
        assert here is not None  # astimezone makes it aware
        return here
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ReviewWishError(f"no time zone is called {name}; take one such as America/Los_Angeles") from None


def _day(text: str | None) -> date | None:
    from sim.errors import ReviewWishError

    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise ReviewWishError(f"--day {text} is no day; write it as 2019-06-10") from None


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # nobody has this number
        return "somebody at the command line"
