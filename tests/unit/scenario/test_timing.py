from __future__ import annotations

from typing import Any

import pytest

from device.yaml_model import SettingFault
from sim.errors import ScenarioError
from sim.scenario.timing import lay_out
from tests.home_kit import home, scenario

SECOND = 16_000
LONG = {"who": "ann", "say": "One."}
SHORT = {"who": "ben", "say": "Two."}


def times(*script: dict[str, Any]) -> list[tuple[int, int]]:
    return lay_out(scenario(*script), lambda key: SECOND if key[1] == "One." else SECOND // 2)


def test_gaps_count_from_the_end_of_all_that_was_said() -> None:
    assert times({**LONG, "gap_ms": 100}, {**SHORT, "gap_ms": -900}, {**LONG, "gap_ms": 50}) == [
        (1600, 17_600),
        (3200, 11_200),
        (18_400, 34_400),
    ]


def test_absolute_times_and_reactions() -> None:
    reaction = {**SHORT, "when_heard": "*"}
    people = scenario().model_dump(mode="json")["people"]
    people["ben"]["on_prompt"] = "react"
    both = scenario({**LONG, "at_ms": 2000}, reaction, {**SHORT, "gap_ms": 0}, people=people)
    assert lay_out(both, lambda _: SECOND) == [(32_000, 48_000), (48_000, 64_000)]


@pytest.mark.parametrize(
    ("script", "at", "why"),
    [
        (
            [{**LONG, "gap_ms": 100}, {**SHORT, "gap_ms": -1101}],
            ("script", 1, "gap_ms"),
            "before the line that",
        ),
        (
            [LONG, {**SHORT, "gap_ms": -1}, {**LONG, "gap_ms": -600}],
            ("script", 2, "gap_ms"),
            "ann .* it can be -499",
        ),
        ([LONG, {**LONG, "gap_ms": -1}], ("script", 1, "gap_ms"), "ann is still speaking then; it can be 0 at least"),
        (
            [LONG, {**LONG, "at_ms": 1299}],
            ("script", 1, "at_ms"),
            "ann .* it can be 1300",
        ),
        ([{**LONG, "at_ms": 900}, {**SHORT, "at_ms": 899}], ("script", 1, "at_ms"), "before the line .* 900 at least"),
    ],
)
def test_what_cannot_be_spoken_so_is_refused_with_what_could_be(
    script: list[dict[str, Any]], at: tuple[str | int, ...], why: str
) -> None:
    with pytest.raises(SettingFault, match=why) as caught:
        times(*script)
    assert caught.value.at == at


def test_a_home_says_so_too() -> None:
    with pytest.raises(ScenarioError, match=r"script\.1\.gap_ms is -1: ann is still speaking then"):
        home(scenario(LONG, {**LONG, "gap_ms": -1}))
