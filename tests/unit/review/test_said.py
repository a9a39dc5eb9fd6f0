"""What a transcript gives away of whom it is about."""

from __future__ import annotations

import pytest

from sim.review.said import first_names, said


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("poor stephanie she is always cold", ("stephanie",)),
        ("frank's mother and Frank", ("frank's", "frank")),
        ("i will mark the bill with grace", ()),
        ("alexa play a song", ()),
    ],
)
def test_first_names(text: str, names: tuple[str, ...]) -> None:
    assert said(text).names == names


def test_names_that_the_far_end_knows_count_too() -> None:
    assert said("ask zebedee about it").names == ()
    assert said("ask zebedee about it", ["Zebedee Miller"]).names == ("zebedee",)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("she lives at nineteen twelve oak street now", ("nineteen twelve oak street",)),
        ("19 Elm Street", ("one nine elm street",)),
        ("over on lexington street", ("lexington street",)),
        ("five oak lane", ("five oak lane",)),
        ("twenty one south main street", ("twenty one south main street",)),
        ("write to ann at example dot com", ("ann at example dot com",)),
        ("down the street and on the road", ()),
        ("in the fast lane by the way", ()),
        ("look at the dot", ()),
    ],
)
def test_addresses(text: str, addresses: tuple[str, ...]) -> None:
    assert said(text).addresses == addresses


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("call five oh three five five five oh one nine nine", ("five oh three five five five oh one nine nine",)),
        ("my pin is 4711", ("four seven one one",)),
        ("the last are twelve thirty four", ("twelve thirty four",)),
        ("nine thousand and not a penny more", ()),
        ("one two three four hundred", ()),
        ("in nineteen ninety", ()),
        ("a timer for twenty five minutes", ()),
    ],
)
def test_numbers(text: str, numbers: tuple[str, ...]) -> None:
    assert said(text).numbers == numbers


def test_kinds_are_told_and_no_words() -> None:
    text = "ann lives at five oak lane and has the number one two three four"
    assert said(text).kinds == (
        "name",
        "address",
        "number",
    )
    assert said("").kinds == ()
    assert {"ann", "frank", "stephanie"} <= first_names()
    assert not {"alexa", "will", "the"} & first_names()
