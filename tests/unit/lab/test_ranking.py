from __future__ import annotations

from itertools import combinations

import pytest

from sim.lab.ranking import (
    BREAK,
    FIRST,
    SECOND,
    Candidate,
    dictionary_entries,
    rank,
    rank_pairs,
    stretch_distance,
)
from wakeword.commonness import common_words, language_model_path
from wakeword.phones import Phones
from wakeword.phonetics import distance
from wakeword.pronunciation import dictionary_path, read_dictionary

ALEXA: Phones = ("AH", "L", "EH", "K", "S", "AH")


def by_hand(phones: Phones, target: Phones) -> int:
    """Every stretch, one after the other."""
    n = len(phones)
    return min(
        distance(phones[begin:end], target) + BREAK * (begin > 0) + BREAK * (end < n)
        for begin, end in combinations(range(n + 1), 2)
    )


@pytest.mark.parametrize(
    "word", ["unacceptable", "election", "lexus", "a", "shibboleth", "elixir", "weather", "deluxe"]
)
def test_a_distance_is_that_of_the_nearest_stretch(word: str) -> None:
    phones = tuple(read_dictionary(dictionary_path())[word][0].split())
    assert stretch_distance(phones, ALEXA) == by_hand(phones, ALEXA)


def test_words_of_all_lengths_are_ranked_at_once_and_each_comes_once() -> None:
    words = [
        ("x", ("EH", "K", "S")),
        ("lexus", ("L", "EH", "K", "S", "AH", "S")),
        ("x", ALEXA),
        ("dumb", ("D", "AH", "M")),
    ]
    ranked = rank(words, ALEXA)
    assert [each.text for each in ranked] == ["x", "lexus", "dumb"]
    assert [each.distance for each in ranked] == [0, by_hand(words[1][1], ALEXA), by_hand(words[3][1], ALEXA)]


@pytest.fixture(scope="module")
def ranked() -> list[Candidate]:
    return rank(dictionary_entries(read_dictionary(dictionary_path())), ALEXA)


def test_words_that_are_known_to_wake_come_out_by_themselves(ranked: list[Candidate]) -> None:
    place = {each.text: number for number, each in enumerate(ranked)}
    assert len(ranked) > 110_000
    assert place["lexus"] < place["elixir"] < place["unacceptable"] < 500
    assert place["weather"] > 20_000


def test_pairs_that_are_known_to_wake_come_out_by_themselves() -> None:
    dictionary = read_dictionary(dictionary_path())
    common = [word for word in common_words(language_model_path()) if word in dictionary][:2000]
    pairs = rank_pairs([(word, tuple(dictionary[word][0].split())) for word in common], ALEXA, 1000)
    texts = [each.text for each in pairs]
    assert len(set(texts)) == 1000
    assert {"a letter", "people accept"} <= set(texts)
    firsts, seconds = zip(*(text.split() for text in texts), strict=True)
    assert max(map(firsts.count, firsts)) <= FIRST
    assert max(map(seconds.count, seconds)) <= SECOND


def test_both_words_of_a_pair_have_a_part_in_it() -> None:
    words = [
        ("people", ("P", "IY", "P", "AH", "L")),
        ("accept", ("AE", "K", "S", "EH", "P", "T")),
        ("dumb", ("D", "AH", "M")),
    ]
    first = rank_pairs(words, ALEXA, 9)[0]
    assert first.text == "people accept"
    inner = distance(("AH", "L", "AE", "K", "S", "EH"), ALEXA)
    assert first.distance == inner + 2 * BREAK


def test_common_words_are_common() -> None:
    words = common_words(language_model_path())
    assert len(words) > 60_000
    assert {"the", "to", "and", "a", "of"} <= set(words[:12])
    assert words.index("letter") < words.index("lecture") < words.index("elixir")
