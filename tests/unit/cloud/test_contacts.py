"""Whose name heard words are taken for."""

from __future__ import annotations

import pytest

from sim.cloud.contacts import Contact, ContactBook, Resolution
from sim.cloud.likeness import Words
from sim.errors import ScenarioError
from tests.dialog_kit import names, pronouncer
from wakeword.phonetics import Where


def resolve(heard: str, where: Where = "anywhere", threshold: float = 0.65) -> Resolution:
    return names().resolve(Words.of(heard.split(), pronouncer()), where, threshold, 0.7)


@pytest.mark.parametrize(
    ("heard", "where", "threshold", "found", "by", "words"),
    [
        ("frank", "whole", 0.9, ("frank",), "exact", "frank"),
        ("frank had his floors", "anywhere", 0.65, ("frank",), "exact", "frank"),
        ("and then frank had his floors", "anywhere", 0.65, ("frank",), "exact", "frank"),
        ("frank had his floors", "whole", 0.65, (), "sound", ""),
        ("franc", "whole", 0.9, ("frank",), "sound", "franc"),
        ("why at", "whole", 0.5, ("wyatt",), "sound", "why at"),
        ("why at", "whole", 0.97, (), "sound", ""),
        ("linden", "whole", 0.5, ("linda",), "sound", "linden"),
        ("the oak floors", "anywhere", 0.65, (), "sound", ""),
        ("anna", "whole", 0.9, ("anna miller", "anna jones"), "exact", "anna"),
        ("anna jones", "whole", 0.9, ("anna jones",), "exact", "anna jones"),
        ("", "anywhere", 0.0, (), "sound", ""),
    ],
)
def test_names(heard: str, where: Where, threshold: float, found: tuple[str, ...], by: str, words: str) -> None:
    resolution = resolve(heard, where, threshold)
    assert resolution.found == found
    if found:
        assert (resolution.by, resolution.heard) == (by, words)
        assert resolution.score >= resolution.needed >= threshold


def test_candidates_are_told_the_likest_first() -> None:
    facts = resolve("frank").facts(names())
    assert facts["name"] == "Frank"
    candidates = facts["candidates"]
    assert isinstance(candidates, list)
    scores = [score for _, score in candidates]
    assert candidates[0] == ["Frank", 1.0]
    assert scores == sorted(scores, reverse=True)
    assert resolve("anna").facts(names())["name"] is None


def test_a_name_is_known_by_how_it_is_said() -> None:
    book = ContactBook([Contact("Xzy", say_as="Suzy")], pronouncer())
    heard = Words.of(["suzy"], pronouncer())
    assert book.resolve(heard, "whole", 0.9, 0.7).found == ("xzy",)
    assert book.spoken("xzy") == "Suzy"


def test_those_who_share_a_name_are_told_apart() -> None:
    book = names()
    assert book.twins() == (("anna miller", "anna jones"),)
    assert book.called("anna jones") == "Anna"
    assert book.spoken("anna jones") == "Anna Jones"
    assert book.spoken("frank") == "Frank"
    assert book.label("anna jones") == "Anna (Jones)"
    for heard in ("jones", "anna jones"):
        found = book.choose(("anna miller", "anna jones"), Words.of(heard.split(), pronouncer()), "whole", 0.9, 0.7)
        assert found.found == ("anna jones",)


@pytest.mark.parametrize(
    ("contacts", "why"),
    [
        ((Contact("Frank"), Contact("FRANK")), "give each an id"),
        ((Contact("Frank", "Oak"), Contact("Frank", "oak")), "give each an id"),
        ((Contact("Иван"),), "no name in Latin letters; give it a say_as"),
    ],
)
def test_whom_nothing_tells_apart_is_refused(contacts: tuple[Contact, ...], why: str) -> None:
    with pytest.raises(ScenarioError, match=why):
        ContactBook(contacts, pronouncer())


def test_names_in_other_letters_are_known_by_how_they_are_said() -> None:
    book = ContactBook([Contact("Иван", say_as="Ivan"), Contact("Ольга", say_as="Olga")], pronouncer())
    assert book.twins() == ()
    heard = Words.of(["ivan"], pronouncer())
    (key,) = book.resolve(heard, "whole", 0.9, 0.7).found
    assert (book.label(key), book.spoken(key)) == ("Иван", "Ivan")


def test_an_empty_book_knows_nobody() -> None:
    book = ContactBook((), pronouncer())
    assert book.resolve(Words.of(["frank"], pronouncer()), "anywhere", 0.0, 0.7).found == ()
