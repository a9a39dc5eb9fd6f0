"""``misheard console account``: who may use the console."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sim.review.options import add_store_options

if TYPE_CHECKING:
    from sim.console.access.accounts import Accounts
    from sim.review.options import Opened

_ROLES = ("customer", "annotator", "lead", "auditor")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``account`` to the commands of the console."""
    parser = subparsers.add_parser("account", help="who may use the console", allow_abbrev=False)
    commands = parser.add_subparsers(dest="account_command", metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], tells: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=tells, description=f"Command to {tells}.", allow_abbrev=False)
        add_store_options(added)
        added.set_defaults(run=run)
        return added

    add = command("add", _add, "make an account: asks for its password, and shows the secret of its second factor once")
    add.add_argument("name", metavar="NAME", help="1 to 40 of a-z, 0-9, '.', '_' and '-'")
    add.add_argument("--role", choices=_ROLES, required=True)
    add.add_argument("--customer", metavar="N", help="of a customer: the account number, or the name of a device")
    command("list", _list, "list the accounts")
    for name, run, tells in (
        ("disable", _disable, "let somebody in no more, and end their sessions"),
        ("reset", _reset, "give somebody a new password and a new second factor, and let them in again"),
    ):
        command(name, run, tells).add_argument("name", metavar="NAME")


def _add(args: argparse.Namespace) -> int:
    with _opened(args) as (review, accounts):
        customer = None if args.customer is None else _customer(review, args.customer)
        secret = accounts.add(args.name, args.role, _password(), customer)
        _note(review, "account_add", args.name, role=args.role)
    _show(args.name, secret)
    return 0


def _list(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "role", "customer", "", box=None)
    with _opened(args) as (_, accounts):
        for each in accounts.all():
            table.add_row(each.name, each.role, each.customer or "", "disabled" if each.disabled else "")
    Console(highlight=False, markup=False).print(table)
    return 0


def _disable(args: argparse.Namespace) -> int:
    with _opened(args) as (review, accounts):
        accounts.disable(args.name)
        _note(review, "account_disable", args.name)
    print(f"{args.name} is not let in any more")
    return 0


def _reset(args: argparse.Namespace) -> int:
    with _opened(args) as (review, accounts):
        secret = accounts.reset(args.name, _password())
        _note(review, "account_reset", args.name)
    _show(args.name, secret)
    return 0


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[tuple[Opened, Accounts]]:
    from datetime import UTC, datetime

    from sim.console.access.accounts import Accounts
    from sim.console.access.passwords import Passwords
    from sim.review.options import opened

    with opened(args) as review:
        yield review, Accounts(review.store, Passwords(), lambda: datetime.now(UTC))


def _note(review: Opened, action: str, account: str, **details: str) -> None:
    import getpass
    from datetime import UTC, datetime

    from sim.review.chain import Entry

    entry = Entry(getpass.getuser(), "command", action, details={"account": account, **details})
    review.audit.record(entry, datetime.now(UTC))


def _customer(review: Opened, named: str) -> str:
    """The account number that was named, or that of whom a device belongs to; raises AccountError."""
    from sim.errors import AccountError

    customers = review.store.customers.all()
    for customer in customers:
        if named == customer.number or named in [device.name for device in customer.devices]:
            return customer.number
    known = [f"{each.number} ({', '.join(device.name for device in each.devices)})" for each in customers]
    more = f", and {len(known) - 10} more" if len(known) > 10 else ""
    raise AccountError(f"there is no customer {named[:60]}; there are: {', '.join(known[:10]) or 'none'}{more}")


def _password() -> str:
    """Ask for a password on the terminal, twice; or take the first line of standard input."""
    import getpass
    import sys

    from sim.errors import AccountError

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password, at least 12 characters: ")
    if getpass.getpass("The same again: ") != password:
        raise AccountError("the two passwords differ; try again")
    return password


def _show(name: str, secret: bytes) -> None:
    from sim.console.access import totp

    print(f"The second factor of {name}, shown this once; add it to an authenticator app:")
    print(f"  {totp.written(secret)}")
    print(f"  {totp.uri(secret, name)}")
