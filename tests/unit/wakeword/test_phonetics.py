"""Likeness of sound against a plain, slow computation of the same, and against what is known to be misheard."""

from __future__ import annotations

import importlib.util
import itertools
import sys
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeword.errors import EngineMissing
from wakeword.phones import CODES, OMISSION, PHONES, SUBSTITUTION, Phones
from wakeword.phonetics import Lexicon, Patterns, Pronouncer, distance, likeness, weight
from wakeword.pronunciation import by_rules, dictionary_path, read_dictionary, spoken_words

BROKEN = 45
phones = st.lists(st.sampled_from(PHONES), max_size=6).map(tuple)
some_phones = st.lists(st.sampled_from(PHONES), min_size=1, max_size=5).map(tuple)


@pytest.fixture(scope="module")
def pronouncer() -> Pronouncer:
    return Pronouncer()


def slow_distance(one: Phones, other: Phones) -> int:
    """Levenshtein, one cell at a time."""
    row = list(itertools.accumulate((int(OMISSION[CODES[p]]) for p in other), initial=0))
    for a in one:
        left_out = int(OMISSION[CODES[a]])
        new = [row[0] + left_out]
        for n, b in enumerate(other):
            new.append(
                min(
                    row[n + 1] + left_out,
                    new[n] + int(OMISSION[CODES[b]]),
                    row[n] + int(SUBSTITUTION[CODES[a], CODES[b]]),
                )
            )
        row = new
    return row[-1]


def slow_spot(pattern: Phones, words: Sequence[Sequence[Phones]]) -> float:
    """The likeness of the best stretch, by trying every stretch of every way to pronounce the words."""
    best = weight(pattern)
    for choice in itertools.product(*words):
        line = [(phone, n, len(word)) for word in choice for n, phone in enumerate(word)]
        for begin, end in itertools.combinations(range(len(line) + 1), 2):
            broken = BROKEN * ((line[begin][1] != 0) + (line[end - 1][1] != line[end - 1][2] - 1))
            best = min(best, broken + slow_distance(pattern, tuple(phone for phone, _, _ in line[begin:end])))
    return 1 - best / weight(pattern)


def test_substitutions_are_a_distance() -> None:
    costs = SUBSTITUTION[:-1, :-1]
    assert (costs == costs.T).all()
    assert (costs.diagonal() == 0).all()
    assert (costs[~(costs == 0)] >= 10).all()
    assert (costs <= OMISSION[:-1, None] + OMISSION[None, :-1]).all()


@given(phones, phones)
def test_the_distance_is_that_of_a_plain_levenshtein(one: Phones, other: Phones) -> None:
    assert distance(one, other) == slow_distance(one, other) == distance(other, one)
    assert 0 <= likeness(one, other) <= 1
    assert (likeness(one, other) == 1) == (one == other)


@given(some_phones, st.lists(st.lists(some_phones, min_size=1, max_size=2), max_size=3))
def test_a_spot_is_the_best_of_all_stretches(pattern: Phones, words: list[list[Phones]]) -> None:
    (spot,) = Patterns([pattern]).spot(words)
    assert spot.score == pytest.approx(max(0, slow_spot(pattern, words)))
    assert 0 <= spot.begin <= spot.end <= len(words)


@given(some_phones, st.lists(st.lists(some_phones, min_size=1, max_size=2), min_size=1, max_size=3))
def test_the_whole_is_all_the_words_and_nothing_but(pattern: Phones, words: list[list[Phones]]) -> None:
    least = min(
        slow_distance(pattern, tuple(p for word in choice for p in word)) for choice in itertools.product(*words)
    )
    (spot,) = Patterns([pattern]).spot(words, "whole")
    assert spot.score == pytest.approx(max(0, 1 - least / weight(pattern)))


@given(st.lists(some_phones, min_size=1, max_size=4), st.lists(st.lists(some_phones, min_size=1, max_size=2)))
def test_patterns_do_not_disturb_each_other(patterns: list[Phones], words: list[list[Phones]]) -> None:
    together = Patterns(patterns).spot(words)
    assert together == [Patterns([each]).spot(words)[0] for each in patterns]


@pytest.mark.parametrize(
    ("said", "heard", "words", "least"),
    [
        ("send a message", "well so i sent a message to him", "sent a message", 0.95),
        ("cancel", "oh can sell it", "can sell", 0.9),
        ("cancel", "the console please", "console", 0.75),
        ("right", "write that down", "write", 1.0),
        ("frank", "then frank had his floors", "frank", 1.0),
        ("frank", "a frankfurter please", "frankfurter", 0.85),
        ("what time is it", "alexa what time as it", "what time as it", 0.9),
    ],
)
def test_what_is_misheard_is_found(pronouncer: Pronouncer, said: str, heard: str, words: str, least: float) -> None:
    (spot,) = Patterns([pronouncer.phones(said)]).spot(pronouncer.words(heard))
    assert " ".join(heard.split()[spot.begin : spot.end]) == words
    assert spot.score >= least


def test_a_stretch_may_have_to_begin_with_the_first_word(pronouncer: Pronouncer) -> None:
    patterns = Patterns([pronouncer.phones("frank")])
    (there,) = patterns.spot(pronouncer.words("frank had his floors"), "begin")
    (later,) = patterns.spot(pronouncer.words("and then frank had his floors"), "begin")
    assert (there.begin, there.end, there.score) == (0, 1, 1.0)
    assert later.score < 0.6


def test_nothing_is_found_in_nothing(pronouncer: Pronouncer) -> None:
    assert [spot.score for spot in Patterns([pronouncer.phones("stop"), ()]).spot([])] == [0, 0]
    assert Patterns([()]).spot(pronouncer.words("stop"))[0].score == 0


def test_words_that_are_known_to_wake_are_near(pronouncer: Pronouncer) -> None:
    """Sound-alikes that the Alexa Voice Service's documentation names, before words that are not like it."""
    alexa = pronouncer.phones("alexa")
    near = [likeness(alexa, pronouncer.phones(word)) for word in ("alexis", "alex", "election")]
    far = [likeness(alexa, pronouncer.phones(word)) for word in ("humidity", "message", "floors", "table")]
    assert min(near) > max(far)


def test_the_whole_dictionary_is_ranked_at_once(pronouncer: Pronouncer) -> None:
    words = read_dictionary(dictionary_path())
    lexicon = Lexicon((word, tuple(one.split())) for word, said in words.items() for one in said)
    alexa = pronouncer.phones("alexa")
    begin = time.perf_counter()
    nearest = lexicon.nearest(alexa, 200)
    assert time.perf_counter() - begin < 5
    assert len(lexicon.words) > 125_000
    assert nearest[0] == ("alexa", 1.0)
    assert {"alexis", "election", "elixir", "lexus"} <= {word for word, _ in nearest}
    assert all(score == likeness(alexa, tuple(words[word][0].split())) for word, score in nearest[:3])


def test_a_word_has_each_of_its_pronunciations(pronouncer: Pronouncer) -> None:
    assert pronouncer.word("a") == (("AH",), ("EY",))
    assert pronouncer.word("frank") == (("F", "R", "AE", "NG", "K"),)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("wyck", "W IH K"),
        ("blane", "B L EY N"),
        ("shelley", "SH EH L IY"),
        ("quince", "K W IH N S"),
        ("marcia", "M AA R S IH AH"),
        ("", ""),
    ],
)
def test_words_in_no_dictionary_are_spelt_out(word: str, said: str) -> None:
    assert by_rules(word) == tuple(said.split())
    assert Pronouncer({}).word(word) == (tuple(said.split()),)


def test_the_rules_come_near_the_dictionary() -> None:
    words = read_dictionary(dictionary_path())
    some = [word for word in itertools.islice(words, 0, None, 331) if word.isalpha()]
    likely = [likeness(by_rules(word), tuple(words[word][0].split())) for word in some]
    assert sum(likely) / len(likely) > 0.75


def test_texts_become_words_of_the_dictionary() -> None:
    assert spoken_words("José’s 2 o'clock, 'right'?") == ["jose's", "two", "o'clock", "right"]
    assert spoken_words("...") == []


def test_without_pocketsphinx_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EngineMissing, match="pip install pocketsphinx"):
        Pronouncer()


def test_the_dictionary_is_found_without_importing_pocketsphinx() -> None:
    before = "pocketsphinx" in sys.modules
    assert dictionary_path().is_file()
    assert ("pocketsphinx" in sys.modules) == before
