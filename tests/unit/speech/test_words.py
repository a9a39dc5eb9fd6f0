from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.speech.words import by_phones, even_words, words_of

ALONE = {"a": ["ey"], "lecture": ["l", "eh", "k", "ch", "er"], "about": ["ax", "b", "aw", "t"], "b": ["b", "iy"]}


def alone(word: str) -> list[str]:
    return ["pau", *ALONE.get(word, []), "pau"]


def test_words_are_what_stands_between_blanks_without_what_is_around_it() -> None:
    assert words_of("\"Dr. Smith's, he said - and: 25 dollars…") == (
        "Dr",
        "Smith's",
        "he",
        "said",
        "and",
        "25",
        "dollars",
    )


def test_words_of_which_nothing_is_known_are_as_long_as_they_are_written() -> None:
    assert even_words("To whom?", 700) == (("To", 0, 200), ("whom", 300, 700))


@given(st.text(max_size=60), st.integers(0, 50_000))
def test_they_are_in_order_and_inside(text: str, n: int) -> None:
    words = even_words(text, n)
    edges = [edge for _, begin, end in words for edge in (begin, end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= n for edge in edges)
    assert tuple(word for word, *_ in words) == words_of(text)


def phones(*names: str) -> list[tuple[str, int, int]]:
    return [(name, 10 * number, 10 * number + 10) for number, name in enumerate(names)]


def test_phones_are_laid_along_the_words_though_they_sound_otherwise_in_a_sentence() -> None:
    said = phones("pau", "ax", "l", "eh", "k", "sh", "er", "pau", "b", "aw", "pau")
    found = by_phones("a lecture about", said, alone)
    assert found == (("a", 10, 20), ("lecture", 20, 70), ("about", 80, 100))


def test_a_word_of_which_nothing_is_left_is_left_out() -> None:
    assert by_phones("a b", phones("b", "iy"), alone) == (("b", 0, 20),)
    assert by_phones("a", [], alone) == ()
    assert by_phones("", phones("ax"), alone) == ()
