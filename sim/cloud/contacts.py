"""Whom messages can be sent to, and whose name heard words are taken for: exactly, by spelling, by sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sim.cloud.likeness import Found, Phrases, Words, needed_likeness
from sim.errors import ScenarioError
from uplink.message import JSON
from wakeword.phonetics import Pronouncer, Where
from wakeword.pronunciation import spoken_words

_SHOWN = 5
"""Candidates that are told of."""
_WORTH = 0.3
"""Likeness under which a candidate is not worth telling."""


@dataclass(frozen=True)
class Contact:
    """Somebody in the address book: `id` tells two of one name apart, `say_as` is how the device says the name."""

    name: str
    id: str | None = None
    say_as: str | None = None

    @property
    def spoken(self) -> str:
        """The name as the device says it."""
        return self.say_as or self.name


@dataclass(frozen=True)
class Resolution:
    """Whom heard words `begin` to `end` (exclusive) were taken for: nobody, one, or several of one name.

    candidates: the likest names first, each with its likeness.
    """

    heard: str
    found: tuple[str, ...]
    score: float
    needed: float
    evidence: float
    by: Literal["exact", "spelling", "sound"]
    begin: int
    end: int
    candidates: tuple[tuple[str, float], ...]

    def facts(self, names: ContactBook) -> dict[str, JSON]:
        """What is told of it."""
        name = names.label(self.found[0]) if len(self.found) == 1 else None
        return {
            "heard": self.heard,
            "name": name,
            "score": self.score,
            "needed": self.needed,
            "by": self.by,
            "candidates": [[*each] for each in self.candidates],
        }


class ContactBook:
    """The contacts of a home; each has a key, by which it is meant from then on."""

    def __init__(self, contacts: Sequence[Contact], pronouncer: Pronouncer) -> None:
        """Take contacts; raises ScenarioError for two that nothing tells apart, and for one that cannot be said."""
        self._contacts: dict[str, Contact] = {}
        for contact in contacts:
            key = _key(contact)
            if not _name(contact):
                raise ScenarioError(f"the contact {contact.name!r} has no name in Latin letters; give it a say_as")
            if key in self._contacts:
                raise ScenarioError(f"there are two contacts called {contact.name!r}; give each an id of its own")
            self._contacts[key] = contact
        # A contact is called by the name, as the device says it, and, where there is an id, by both together.
        ways = {
            (key, way): None
            for key, one in self._contacts.items()
            for way in (one.name, one.spoken, f"{one.name} {one.id}" if one.id else one.name)
        }
        self._keys = tuple(key for key, _ in ways)
        self._names = Phrases([way for _, way in ways], pronouncer)
        self._pronouncer = pronouncer

    def __len__(self) -> int:
        return len(self._contacts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._contacts)

    def label(self, key: str) -> str:
        """The name in full, as it is shown: ``Frank``, ``Frank (Miller)``."""
        contact = self._contacts[key]
        return f"{contact.name} ({contact.id})" if contact.id else contact.name

    def called(self, key: str) -> str:
        """The name as the device says it, whoever else has it."""
        return self._contacts[key].spoken

    def spoken(self, key: str) -> str:
        """What the device says for this one and nobody else."""
        contact = self._contacts[key]
        shared = any(key in twins for twins in self.twins())
        return f"{contact.spoken} {contact.id}" if shared else contact.spoken

    def twins(self) -> tuple[tuple[str, ...], ...]:
        """Those who share a name, in the order of the book."""
        by_name: dict[tuple[str, ...], tuple[str, ...]] = {}
        for key, contact in self._contacts.items():
            name = _name(contact)
            by_name[name] = (*by_name.get(name, ()), key)
        return tuple(keys for keys in by_name.values() if len(keys) > 1)

    def tells_apart(self, key: str) -> str:
        """What the device says to tell this one from others of the same name."""
        contact = self._contacts[key]
        return contact.id or contact.spoken

    def resolve(self, heard: Words, where: Where, threshold: float, sound_share: float) -> Resolution:
        """Whom these words are taken for; several where their names are equally like."""
        return self._best(self._keys, self._names.find(heard, where, threshold, sound_share), heard, threshold)

    def choose(self, among: Sequence[str], heard: Words, where: Where, threshold: float, share: float) -> Resolution:
        """Which of several of one name these words are taken for, by what tells them apart, or the name with it."""
        ways = {(key, way): None for key in among for way in self._ways_apart(key)}
        phrases = Phrases([way for _, way in ways], self._pronouncer)
        found = phrases.find(heard, where, threshold, share)
        return self._best([key for key, _ in ways], found, heard, threshold)

    def _ways_apart(self, key: str) -> tuple[str, ...]:
        contact, apart = self._contacts[key], self.tells_apart(key)
        return (apart, f"{contact.name} {apart}")

    def _best(self, keys: Sequence[str], found: Sequence[Found], heard: Words, threshold: float) -> Resolution:
        best: dict[str, Found] = {}
        for key, each in zip(keys, found, strict=True):
            if key not in best or each.evidence(threshold) > best[key].evidence(threshold):
                best[key] = each
        order = sorted(best, key=lambda key: (-best[key].fits, -best[key].evidence(threshold)))
        candidates = tuple((self.label(key), best[key].score) for key in order if best[key].score >= _WORTH)[:_SHOWN]
        if not order or not best[order[0]].fits:
            top = best[order[0]].score if order else 0.0
            needed = best[order[0]].needed if order else needed_likeness(threshold, 0)
            return Resolution(str(heard), (), top, needed, 0.0, "sound", 0, 0, candidates)
        winner = best[order[0]]
        equal = [key for key in order if best[key].fits and best[key].evidence(threshold) == winner.evidence(threshold)]
        names = {_name(self._contacts[key]) for key in equal}
        if len(names) > 1:  # two names that are equally like: the first in the book, not a question
            equal = equal[:1]
        words = str(heard.cut(winner.begin, winner.end))
        by: Literal["exact", "spelling", "sound"] = "spelling" if winner.spelling > winner.sound else "sound"
        if winner.score == 1.0:
            by = "exact"
        return Resolution(
            heard=words,
            found=tuple(equal),
            score=winner.score,
            needed=winner.needed,
            evidence=winner.evidence(threshold),
            by=by,
            begin=winner.begin,
            end=winner.end,
            candidates=candidates,
        )


def _name(contact: Contact) -> tuple[str, ...]:
    """The words of a name, which its bearers share: as it is written or, without Latin letters, as it is said."""
    return tuple(spoken_words(contact.name) or spoken_words(contact.spoken))


def _key(contact: Contact) -> str:
    return " ".join((*_name(contact), *spoken_words(contact.id or "")))
