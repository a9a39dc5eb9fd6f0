from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from device.yaml_model import SettingFault
from sim.scenario.wording import fill, must_have_lists, spellings

LISTS = {"thing": ["lamp", "glue"], "day": ["Monday", "Tuesday", "Friday"]}


def test_every_spelling_comes_as_often_as_it_is_drawn() -> None:
    template = "(The|A {day}) {thing} (is|was|has been) here."
    likely = Counter[str]()
    for text, share in spellings(template, LISTS):
        likely[text] += share  # type: ignore[assignment]
    assert sum(likely.values()) == pytest.approx(1)
    assert likely["The lamp is here."] == pytest.approx(1 / 12)
    assert likely["A Monday glue has been here."] == pytest.approx(1 / 36)
    chance = np.random.default_rng(1)
    drawn = Counter(fill(template, LISTS, chance) for _ in range(20_000))
    assert set(drawn) == set(likely)
    for text, share in likely.items():
        assert drawn[text] / 20_000 == pytest.approx(share, abs=0.01)


def test_a_list_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingFault, match="there is no list place; there are: thing, day"):
        must_have_lists("In the {place}.", LISTS, ("lines", 0))
    assert list(spellings("Nothing to choose.", LISTS)) == [("Nothing to choose.", 1.0)]
