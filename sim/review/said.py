"""What a clip's words give away of whom they are about: names, addresses and numbers in a transcript."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from wakeword.pronunciation import spoken_words

DIGITS = 4
"""From so many digits in a row on they are taken for a number that says something of somebody; ours, by no source."""

_ONE = {"zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
_TWO = {
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
    *("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
}
_AMOUNTS = {"hundred", "thousand", "million", "point", "percent", "dollars", "degrees"}
_STREETS = {"street", "avenue", "boulevard", "road", "highway", "parkway"}
_WITH_NUMBER = _STREETS | {"lane", "drive", "court", "place", "terrace", "square", "way", "crescent", "alley"}
_PLACES = {"on", "at", "in", "from", "over", "near"}
_NO_NAMES = _PLACES | {
    *(
        "a",
        "across",
        "an",
        "and",
        "any",
        "down",
        "every",
        "her",
        "his",
        "its",
        "my",
        "next",
        "no",
        "of",
        "off",
        "other",
    ),
    *("our", "same", "some", "that", "the", "their", "this", "to", "up", "wet", "what", "which", "whole", "your"),
}
_DOMAINS = {"com", "org", "net", "edu"}


@dataclass(frozen=True)
class Said:
    """What was found, each in the words of the transcript."""

    names: tuple[str, ...]
    addresses: tuple[str, ...]
    numbers: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which of the three there are."""
        found = {"name": self.names, "address": self.addresses, "number": self.numbers}
        return tuple(kind for kind, each in found.items() if each)


def said(text: str, names: Collection[str] = ()) -> Said:
    """Look through a transcript; names: others that would be known, beside `first_names`.

    A name is a first name: recognizers write no capitals, so surnames cannot be told from other words. An address is a
    street with a number or after "on", "at" and the like, or "at ... dot com". What was misheard is looked at as it was
    heard: so this counts what a reader of the transcript could find, not what was really said.
    """
    words = spoken_words(text)
    common, own = first_names(), {word for name in names for word in spoken_words(name)[:1]}
    found = [word for word in words if (bare := word.removesuffix("'s")) in common or bare in own]
    return Said(tuple(dict.fromkeys(found)), tuple(_addresses(words)), tuple(_numbers(words)))


@cache
def first_names() -> frozenset[str]:
    """Common first names that are no other common word."""
    text = files("configs").joinpath("review", "first-names.txt").read_text("utf-8")
    return frozenset(name for line in text.splitlines() if not line.startswith("#") for name in line.split())


def _addresses(words: Sequence[str]) -> Iterator[str]:
    for at, word in enumerate(words):
        if word in _WITH_NUMBER:
            street = at
            while street > max(0, at - 3) and words[street - 1] not in _NO_NAMES and not _digits(words[street - 1]):
                street -= 1
            number = street
            while number > 0 and _digits(words[number - 1]):
                number -= 1
            after_place = word in _STREETS and street > 0 and words[street - 1] in _PLACES
            if street < at and (number < street or after_place):
                yield " ".join(words[number : at + 1])
        if word == "dot" and "at" in words[max(0, at - 3) : at] and {*words[at + 1 : at + 2]} & _DOMAINS:
            yield " ".join(words[max(0, at - 3) : at + 2])


def _numbers(words: Sequence[str]) -> Iterator[str]:
    run: list[str] = []
    for word in [*words, ""]:
        if _digits(word):
            run.append(word)
            continue
        if word not in _AMOUNTS and len(run) >= DIGITS - 1 and sum(map(_digits, run)) >= DIGITS:
            yield " ".join(run)
        run = []


def _digits(word: str) -> int:
    return 1 if word in _ONE else 2 if word in _TWO else 0
