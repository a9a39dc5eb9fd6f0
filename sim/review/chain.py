"""The arithmetic of the log: entries, each bound to the one before by a hash over both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from uplink.message import JSON

NOTHING = "0" * 64
"""What stands for the hash of the entry before the first."""
_LONGEST = 200
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class Entry:
    """Something that somebody did: `who` in what `role`, with which clip, of which customer.

    details: plain JSON, and never a customer's words: the log outlives them.
    """

    who: str
    role: str
    action: str
    clip: str | None = None
    customer: str | None = None
    details: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """An entry as it is in the log."""

    number: int
    utc: str
    entry: Entry
    before: str
    hash: str

    @classmethod
    def after(cls, number: int, utc: str, entry: Entry, before: str) -> Link:
        """Bind an entry to the one whose hash is `before`."""
        return cls(number, utc, entry, before, _hash(number, utc, entry, before))

    @property
    def fault(self) -> str | None:
        """What is wrong with it by itself."""
        if self.hash != _hash(self.number, self.utc, self.entry, self.before):
            return "it was changed: its content is not what its hash was made of"
        return None


@dataclass(frozen=True)
class Fault:
    """The first entry at which the log is not what was written, and why."""

    number: int
    why: str

    def __str__(self) -> str:
        return f"entry {self.number}: {self.why}"


def plain(entry: Entry) -> Entry:
    """The entry as every database can hold it: names that somebody typed may be anything."""
    who, role, action = (_text(text) for text in (entry.who, entry.role, entry.action))
    clip, customer = (text if text is None else _text(text) for text in (entry.clip, entry.customer))
    return Entry(who, role, action, clip, customer, json.loads(_text(canonical(dict(entry.details)), None)))


def canonical(value: JSON) -> str:
    """One text for one value: keys in order, nothing between, no number that JSON does not know."""
    return _ENCODER.encode(value)


def first_fault(links: Iterable[Link], last: Link | None = None) -> Fault | None:
    """Where a run of entries, which should follow `last` (None: be the log from its beginning), is broken."""
    number, before = (0, NOTHING) if last is None else (last.number, last.hash)
    for link in links:
        if link.number != number + 1:
            gone = f"{number + 1}" if link.number == number + 2 else f"{number + 1} to {link.number - 1}"
            return Fault(number + 1, f"it was removed: there is no entry {gone}, though there is one after")
        if link.fault is not None:
            return Fault(link.number, link.fault)
        if link.before != before:
            return Fault(link.number, "it does not follow the entry before: one of them was put in another's place")
        number, before = link.number, link.hash
    return None


def _hash(number: int, utc: str, entry: Entry, before: str) -> str:
    content: list[JSON] = [number, utc, entry.who, entry.role, entry.action, entry.clip, entry.customer]
    return hashlib.sha256(canonical([*content, dict(entry.details), before]).encode()).hexdigest()


def _text(text: str, longest: int | None = _LONGEST) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")[:longest]
