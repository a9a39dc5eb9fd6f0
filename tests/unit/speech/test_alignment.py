from __future__ import annotations

import numpy as np
import pytest

from sim.cloud import sphinx_recognizer
from sim.errors import RecognizerError
from sim.scenario import load_scenario
from sim.speech import alignment
from sim.speech.alignment import aligned_words
from sim.speech.library import load_speech
from sim.speech.words import even_words

BEGIN, END = 16_000 // 16, 16_000 // 6
"""62 and 167 ms: what a word's edges may differ by; nobody agrees on where the last sound before a pause dies away."""


def test_words_are_found_where_the_voice_has_them() -> None:
    """flite tells where its words are: what PocketSphinx finds is held against that."""
    kitchen = load_scenario("kitchen-unacceptable")
    speech = load_speech(kitchen)
    for key in kitchen.utterances:
        found, told = aligned_words(key[1], speech[key]), speech.words(key)
        assert [word for word, *_ in found] == [word for word, *_ in told]
        edges = np.array([word[1:] for word in found]) - np.array([word[1:] for word in told])
        assert np.max(np.abs(edges[:, 0])) < BEGIN, key
        assert np.max(np.abs(edges[:, 1])) < END, key


@pytest.mark.parametrize("sound", [np.zeros(16_000, np.int16), np.zeros(100, np.int16)])
def test_where_nothing_is_to_be_found_words_are_as_long_as_they_are_written(sound: np.ndarray) -> None:
    assert aligned_words("A lecture.", sound) == even_words("A lecture.", len(sound))


def test_a_word_that_is_in_no_dictionary_is_aligned_too() -> None:
    kitchen = load_scenario("kitchen-unacceptable")
    key = next(key for key in kitchen.utterances if key[1].startswith("A lecture"))
    sound = load_speech(kitchen)[key]
    found = aligned_words("A lekshur about opening windows.", sound)
    assert found != even_words("A lekshur about opening windows.", len(sound))
    assert [word for word, *_ in found] == ["A", "lekshur", "about", "opening", "windows"]


def test_without_pocketsphinx_spelling_must_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(**_config: object) -> None:
        raise RecognizerError("pocketsphinx is not installed")

    monkeypatch.setattr(sphinx_recognizer, "new_decoder", missing)
    monkeypatch.setattr(alignment, "new_decoder", missing)
    alignment._decoder.cache_clear()
    sound = np.zeros(16_000, np.int16)
    assert aligned_words("A lecture.", sound) == even_words("A lecture.", 16_000)
