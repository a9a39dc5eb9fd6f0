from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.lab.matching import match

EXPECTED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data" / "lab" / "intervals.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", EXPECTED["matching"])
def test_it_is_as_good_as_the_assignment_problem_says(case: dict[str, Any]) -> None:
    words, wakes = [(begin, end) for begin, end in case["words"]], case["wakes"]
    pairs = match(words, wakes)
    assert len({word for word, _ in pairs}) == len({wake for _, wake in pairs}) == len(pairs) == case["pairs"]
    assert all(words[word][0] <= wakes[wake] <= words[word][1] + 16_000 for word, wake in pairs)
    assert sum(abs(wakes[wake] - words[word][1]) for word, wake in pairs) == case["distance"]


def test_a_wake_does_not_answer_twice_and_a_greedy_choice_is_undone() -> None:
    words = [(0, 10_000), (11_000, 20_000)]
    assert match(words, [19_000]) == [(1, 0)]
    assert match(words, [12_000, 19_000]) == [(0, 0), (1, 1)]
    assert match(words, [19_000, 25_000]) == [(0, 0), (1, 1)]  # though the first is closer to the second word
    assert match(words, []) == match([], [5]) == []


@pytest.mark.parametrize(
    ("words", "wakes", "told"),
    [
        ([(5, 5)], [], "must end after it begins"),
        ([(0, 10), (8, 20)], [], "in order and not overlap"),
        ([(0, 10)], [9, 3], "wakes must be in order"),
    ],
)
def test_what_cannot_be_is_refused(words: list[tuple[int, int]], wakes: list[int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        match(words, wakes)
