"""Sentence templates: ``(send|write) [a] message to {contact}``. Syntax and expansion are hassil's.

Only those: hassil matches words exactly, letter by letter, and a far end that mishears must match what is merely like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from hassil import parse_sentence
from hassil.errors import HassilError
from hassil.expression import Sentence as HassilSentence
from hassil.numbers import get_rbnf_engine
from hassil.parser import ParseError
from hassil.sample import sample_sentence

CONTACT, BODY = "contact", "body"
"""The open slots: somebody in the address book, and whatever is said to the end."""
MOST = 4000
"""Sentences that one template may stand for."""
_TOO_MANY = f"it stands for more than {MOST} sentences; say it with fewer alternatives"

Parsed = HassilSentence
"""A template that was read, not yet expanded."""

_SLOT = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Sentence:
    """One way to say something: fixed words and open slots in turn, the first fixed; and what its closed slots hold."""

    template: str
    pieces: tuple[str, ...]
    slots: Mapping[str, int]


def parse(text: str) -> Parsed:
    """Read a template, or what a ``<rule>`` stands for; raises ValueError, whose text says what is wrong."""
    try:
        return parse_sentence(text)
    except (ParseError, AssertionError, ValueError) as error:  # AssertionError: for empty brackets
        raise ValueError(f"it is no template: {error}") from None


def expand(template: str, rules: Mapping[str, Parsed], lists: Mapping[str, Mapping[str, int]]) -> tuple[Sentence, ...]:
    """Every sentence that a template stands for, once, in the template's order.

    lists: for each closed slot what may be said there, and what that means. Raises ValueError.
    """
    found: dict[tuple[tuple[str, ...], tuple[tuple[str, int], ...]], Sentence] = {}
    for text in _sampled(template, rules):
        for pieces, slots in _filled(text, lists):
            found.setdefault((pieces, tuple(slots.items())), Sentence(template, pieces, slots))
            if len(found) > MOST:
                raise ValueError(_TOO_MANY)
    return tuple(found.values())


def numbers(begin: int, end: int) -> dict[str, int]:
    """What the whole numbers from `begin` to `end`, both included, are called."""
    engine = get_rbnf_engine("en")
    return {engine.format_number(n).text.replace("-", " "): n for n in range(begin, end + 1)}


def _sampled(template: str, rules: Mapping[str, Parsed]) -> Sequence[str]:
    parsed = parse(template)
    try:
        texts = list(islice(sample_sentence(parsed, {}, dict(rules), expand_lists=False), MOST + 1))
    except HassilError as error:
        raise ValueError(f"it cannot be expanded: {error}") from None
    except RecursionError:
        raise ValueError("it cannot be expanded: a rule leads back to itself") from None
    if len(texts) > MOST:
        raise ValueError(_TOO_MANY)
    return texts


def _filled(text: str, lists: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[tuple[str, ...], dict[str, int]]]:
    """The pieces of a sentence for every choice of its closed slots."""
    parts = _SLOT.split(text)  # words and names of slots in turn
    names = parts[1::2]
    for name in names:
        if name not in lists and name not in (CONTACT, BODY):
            known = ", ".join((*lists, CONTACT, BODY))
            raise ValueError(f"there is no list called {name!r}; there are: {known}")
    closed = [name for name in names if name in lists]
    for said in product(*(lists[name].items() for name in closed)):
        spoken = iter(said)
        pieces: list[str] = [parts[0]]
        for name, words in zip(names, parts[2::2], strict=True):
            if name in lists:
                pieces[-1] += f" {next(spoken)[0]} {words}"
            else:
                pieces += [f"{{{name}}}", words]
        kept = tuple(" ".join(piece.split()) for piece in pieces if piece.strip())
        _require_order(kept)
        yield kept, {name: value for name, (_, value) in zip(closed, said, strict=True)}


def _require_order(pieces: tuple[str, ...]) -> None:
    """Raise ValueError unless fixed words come first, and the body last."""
    if not pieces or pieces[0].startswith("{"):
        raise ValueError("it must begin with words, or anything would fit it")
    if f"{{{BODY}}}" in pieces[:-1]:
        raise ValueError("{body} must be its last word, for it takes all that follows")
