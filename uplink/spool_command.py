"""`misheard spool`: what waits on a device, and what becomes of it by hand. Also beside a device that runs."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from uplink.broker_options import access_of, add_broker_options
from uplink.claim import is_claimed
from uplink.errors import SpoolError, UplinkError
from uplink.spool import Moment, Spool, SpooledClip

_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


class _UsageError(UplinkError):
    """A command line that cannot be meant."""

    exit_code = 2


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``spool`` to the commands."""
    parser = subparsers.add_parser(
        "spool",
        help="list, show, deliver, export and purge the clips that wait on a device",
        description="Clips wait in the device's spool until the far end has receipted them, sealed to the far end's "
        "key. All but drain may be done while the device runs.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="list|show|drain|export|purge", required=True)
    listed = deeds.add_parser("list", help="list the clips that wait, and those that had to be dropped")
    show = deeds.add_parser("show", help="show the parts of a clip that wait")
    drain = deeds.add_parser("drain", help="deliver what waits, without a device")
    export = deeds.add_parser("export", help="copy what waits, sealed as it is, into files")
    purge = deeds.add_parser("purge", help="delete what waits")
    for each, run in ((listed, _list), (show, _show), (drain, _drain), (export, _export), (purge, _purge)):
        each.add_argument("--name", default="echo-dot", metavar="NAME", help="of the device [echo-dot]")
        each.add_argument("--state", type=Path, metavar="DIR", help="the device's state directory [your user data]")
        each.add_argument("--json", action="store_true", help="as JSON, for programs")
        each.set_defaults(run=run)
    show.add_argument("clip", metavar="CLIP", help="the clip's id")
    add_broker_options(drain, "this device")
    drain.add_argument("--timeout", type=float, default=60.0, metavar="S", help="give up after so many seconds [60]")
    export.add_argument("clip", metavar="CLIP|ALL", help="the clip's id, or ALL")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="into DIR/CLIP/NUMBER.part")
    what = purge.add_mutually_exclusive_group(required=True)
    what.add_argument("--clip", metavar="CLIP", help="this one")
    what.add_argument("--older-than", type=_span, metavar="D", help="those that were begun so long ago: 7d, 12h, 30m")
    what.add_argument("--all", action="store_true", help="every one; with --yes")
    purge.add_argument("--yes", action="store_true", help="yes, all of them")


def _span(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,6})([dhm])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text} is no span of time such as 7d, 12h or 30m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _path(args: argparse.Namespace) -> Path:
    import platformdirs

    path: Path = (args.state or platformdirs.user_data_path("misheard")) / args.name / "spool.sqlite"
    if not path.exists():
        raise SpoolError(f"there is no spool {path}; name the device with --name, and its state with --state")
    return path


def _by_the_wall() -> Moment:
    """When a person does something; no stream runs here."""
    return Moment(0.0, datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"))


@contextmanager
def _guest(args: argparse.Namespace) -> Iterator[Spool]:
    spool = Spool(_path(args), guest=True, now=_by_the_wall)
    try:
        yield spool
    finally:
        spool.close()


def _list(args: argparse.Namespace) -> int:
    with _guest(args) as spool:
        clips, drops, running = spool.clips(), spool.drops(), is_claimed(spool.path)
    if args.json:
        _print(
            {
                "device": args.name,
                "running": running,
                "clips": [asdict(clip) for clip in clips],
                "dropped": [asdict(drop) for drop in drops],
            }
        )
        return 0
    parts, size = sum(clip.parts for clip in clips), sum(clip.size for clip in clips)
    beside = "; its device runs, so this changes as you read" if running else ""
    print(f"{args.name}: {_count(clips, 'clip')}, {_count(parts, 'part')}, {_kilobytes(size)} wait{beside}")
    if clips:
        rows = [(c.clip, str(c.parts), _kilobytes(c.size), c.utc, "" if c.closed else "under way") for c in clips]
        _print_table("clip", "parts >", "size >", "begun", "", rows=rows)
    if drops:
        print(f"\n{_count(drops, 'clip')} dropped, not or not wholly delivered:")
        dropped = [(d.clip, str(d.parts), _kilobytes(d.size), d.utc, d.why.replace("_", " ")) for d in drops]
        _print_table("clip", "parts >", "size >", "when", "why", rows=dropped)
    return 0


def _show(args: argparse.Namespace) -> int:
    with _guest(args) as spool:
        _find(spool, args.clip)
        found = [spool.get(args.clip, number) for number, _, _ in spool.parts(args.clip)]
        parts = [
            {"number": part.number, "size": len(part.payload), "digest": part.digest, **_header(part.payload)}
            for part in found
            if part is not None
        ]
    if args.json:
        _print({"device": args.name, "clip": args.clip, "parts": parts})
        return 0
    print(f"{args.clip}: {_count(parts, 'part')} wait, sealed")
    rows = [
        (
            str(p["number"]),
            _kilobytes(p["size"]),
            f"{p['begin'] / 16_000:.2f} s",
            f"{p['end'] / 16_000:.2f} s",
            p["key"],
        )
        for p in parts
    ]
    _print_table("part >", "size >", "from >", "to >", "sealed to", rows=rows)
    return 0


def _drain(args: argparse.Namespace) -> int:
    from uplink.keyring import Keyring
    from uplink.message import Directive
    from uplink.seal import Seal
    from uplink.sender import Sender

    path = _path(args)
    if is_claimed(path):
        raise SpoolError(f"the device {args.name} runs, and delivers what waits by itself; look with spool list")
    ring = Keyring.of_device(path.parents[1], args.name)
    ring.own()  # or say at once that there is none
    told: list[str] = []

    def obey(directive: Directive) -> None:
        if directive.name == "DeleteClip" and directive.clip is not None:
            sender.forget(directive.clip)

    def note(kind: str, facts: Mapping[str, Any]) -> None:
        if kind in ("refused", "spool_error", "rejected"):
            told.append(str(facts.get("why") or facts["reason"]))

    spool = Spool(path, on_fact=note)
    try:
        before = spool.summary()
        sender = Sender(
            args.name, spool, args.broker, seal=Seal(ring), on_directive=obey, on_fact=note, access=access_of(args)
        )
        sender.start(strict=True)
        try:
            empty = sender.drain(args.timeout)
        finally:
            sender.close()
        after = spool.summary()
    finally:
        spool.close()
    if args.json:
        _print({"device": args.name, "delivered": before.parts - after.parts, "waiting": after.parts, "told": told})
    else:
        print(f"{_count(before.parts - after.parts, 'part')} delivered, {after.parts} wait")
        for each in dict.fromkeys(told):
            print(f"  {each}")
    return 0 if empty else 1


def _export(args: argparse.Namespace) -> int:
    written = 0
    with _guest(args) as spool:
        names = [clip.clip for clip in spool.clips()] if args.clip == "ALL" else [_find(spool, args.clip).clip]
        for name in names:
            folder = args.out / name
            try:
                folder.mkdir(parents=True, exist_ok=True)
                for number, _, _ in spool.parts(name):
                    if (part := spool.get(name, number)) is not None:
                        (folder / f"{number:05d}.part").write_bytes(part.payload)
                        written += 1
            except OSError as error:
                raise SpoolError(f"{folder} cannot be written ({error.strerror}); name another with --out") from None
    if args.json:
        _print({"device": args.name, "out": str(args.out), "clips": len(names), "parts": written})
    else:
        print(f"{_count(written, 'part')} of {_count(names, 'clip')} in {args.out}, sealed as they wait")
    return 0


def _purge(args: argparse.Namespace) -> int:
    if args.all and not args.yes:
        raise _UsageError("purge --all deletes every clip that was not delivered; if that is meant, add --yes")
    with _guest(args) as spool:
        if args.clip:
            clips = [_find(spool, args.clip)]
        else:
            since = datetime.now(UTC) - args.older_than if args.older_than else None
            clips = [clip for clip in spool.clips() if since is None or _begun(clip) < since]
        gone = [clip for clip in clips if spool.drop(clip.clip, "purged")]
    if args.json:
        _print({"device": args.name, "purged": [clip.clip for clip in gone]})
    else:
        parts = sum(clip.parts for clip in gone)
        print(f"{_count(gone, 'clip')} with {_count(parts, 'part')} deleted, and named as dropped")
    return 0


def _find(spool: Spool, name: str) -> SpooledClip:
    for clip in spool.clips():
        if clip.clip == name:
            return clip
    raise SpoolError(f"no part of the clip {name} waits; see what does with: misheard spool list")


def _begun(clip: SpooledClip) -> datetime:
    """When a clip was begun by the device's clock; now, where nobody knows."""
    try:
        return datetime.fromisoformat(clip.utc)
    except ValueError:
        return datetime.now(UTC)


def _header(payload: bytes) -> dict[str, Any]:
    """Give what anybody may read of a part."""
    try:
        fields = json.loads(payload.partition(b"\n")[0])
        return {name: fields[name] for name in ("begin", "end", "last", "key")}
    except (ValueError, KeyError, TypeError):
        return {"begin": 0, "end": 0, "last": False, "key": "nobody knows"}


def _count(things: int | Sized, noun: str) -> str:
    number = things if isinstance(things, int) else len(things)
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def _kilobytes(size: int) -> str:
    return f"{size / 1000:,.1f} kB"


def _print(value: object) -> None:
    print(json.dumps(value, indent=2))


def _print_table(*heads: str, rows: Sequence[tuple[str, ...]]) -> None:
    """Print columns as wide as they must be, whatever the terminal's width; a head that ends in > is of numbers."""
    right = [head.endswith(">") for head in heads]
    lines = [tuple(head.rstrip(" >") for head in heads), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, right, strict=True)
        print("  ".join(cell.rjust(width) if r else cell.ljust(width) for cell, width, r in cells).rstrip())
