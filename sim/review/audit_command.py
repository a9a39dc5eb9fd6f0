"""``misheard review audit``: the log of what people did with clips, shown and verified."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

_WHICH = ("who", "action", "clip", "customer")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit`` to the commands."""
    from sim.review.options import add_store_options

    parser = subparsers.add_parser("audit", help="show and verify the log of what was done with clips")
    verbs = parser.add_subparsers(dest="audit_command", metavar="COMMAND", required=True)
    show = verbs.add_parser("show", help="list entries", allow_abbrev=False)
    show.add_argument("--after", type=int, default=0, metavar="N", help="those alone that come after entry N")
    for name in _WHICH:
        show.add_argument(f"--{name}", metavar="TEXT", help=f"those alone with this {name}")
    show.add_argument("--json", action="store_true", help="one JSON object a line, with the hashes")
    show.set_defaults(run=_show)
    verify = verbs.add_parser("verify", help="find a changed, removed or added entry; 0 where there is none")
    verify.add_argument(
        "--head", type=Path, action="append", default=[], metavar="FILE", help="what `audit head` wrote earlier"
    )
    verify.set_defaults(run=_verify)
    head = verbs.add_parser("head", help="write down where the log ends, to be kept elsewhere", allow_abbrev=False)
    head.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to")
    head.set_defaults(run=_head)
    for verb in (show, verify, head):
        add_store_options(verb)


def _show(args: argparse.Namespace) -> int:
    from sim.review.options import opened

    which = {name: value for name in _WHICH if (value := getattr(args, name)) is not None}
    with opened(args) as review:
        for link in review.audit.entries(args.after, **which):
            entry = link.entry
            facts = {"who": entry.who, "role": entry.role, "action": entry.action}
            about = {"clip": entry.clip, "customer": entry.customer, "details": dict(entry.details)}
            if args.json:
                hashes = {"before": link.before, "hash": link.hash}
                print(json.dumps({"number": link.number, "utc": link.utc, **facts, **about, **hashes}))
            else:
                told = [str(about[name]) for name in ("clip", "customer") if about[name] is not None]
                told += [f"{name}={value}" for name, value in entry.details.items()]
                who = f"{entry.who} ({entry.role})"
                print(f"{link.number:>6}  {link.utc[:19]}Z  {who:<24} {entry.action:<12} {'  '.join(told)}")
    return 0


def _verify(args: argparse.Namespace) -> int:
    from sim.errors import AuditError
    from sim.review.heads import read_head
    from sim.review.options import opened

    heads = []
    for file in args.head:
        noted = read_head(file)
        if noted is None:
            raise AuditError(f"there is no {file}; name a file that misheard review audit head has written")
        heads.append(noted)
    with opened(args) as review:
        fault = review.audit.verify(heads)
        if fault is not None:
            print(fault)
            return 1
        end = review.audit.head()
        print("the log is empty" if end is None else f"as it was written, from entry 1 to {end.number}")
    return 0


def _head(args: argparse.Namespace) -> int:
    from sim.errors import AuditError
    from sim.review.heads import Heads
    from sim.review.options import opened

    with opened(args) as review:
        end = review.audit.head()
        if end is None:
            raise AuditError("the log is empty, so there is no end to note; come back when something was done")
        Heads([args.out]).note(end, [args.out])
    print(f"{args.out}: entry {end.number}")
    return 0
