from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.errors import LabError
from sim.lab.funnel import as_results, links, reached, stopped
from sim.lab.trial import OUTCOMES, Trial, base, prepared
from sim.lab.variation import Drawing, Variation, load_variation
from sim.scenario import load_scenario

FULL: dict[str, Any] = {"woke": True, "intent": "send_message", "contact": "Frank", "confirmed": True, "sent": True}


def row(**changes: Any) -> dict[str, Any]:
    return {**dict.fromkeys(OUTCOMES), **FULL, **changes}


@pytest.mark.parametrize(
    ("changes", "depth"),
    [
        ({}, 5),
        ({"confirmed": None}, 5),  # nobody asked, and it went out
        ({"sent": False}, 4),
        ({"sent": False, "confirmed": None}, 3),
        ({"sent": False, "confirmed": True, "contact": None}, 2),
        ({"sent": False, "intent": "time"}, 1),
        ({"sent": False, "woke": False}, 0),
    ],
)
def test_a_link_holds_only_after_all_before_it(changes: dict[str, Any], depth: int) -> None:
    assert reached(row(**changes)) == depth


def test_each_link_is_counted_among_those_that_came_to_it() -> None:
    found = links([5, 5, 3, 1, 0, 0, 0, 0])
    assert [(link.came, link.held) for link in found] == [(8, 4), (4, 3), (3, 3), (3, 2), (2, 2)]
    assert found[1].share == 0.75
    assert found[1].interval.low == pytest.approx(0.3006, abs=1e-4)  # Wilson, 3 of 4
    assert found[4].overall.high == pytest.approx(0.5907, abs=1e-4)  # 2 of 8
    assert [link["given"] for link in as_results(found)] == [None, "wake", "intent", "contact", "confirmation"]


def test_a_link_to_which_nothing_came_is_not_called_anything() -> None:
    last = links([0, 0])[-1]
    assert (last.share, last.interval) == (None, (0.0, 1.0))


def test_why_it_ended_is_counted() -> None:
    assert stopped([{"stopped": "wake"}, {"stopped": ""}, {"stopped": "wake"}]) == {"wake": 2, "sent": 1}


def drawing(variation: Variation, seed: int = 1) -> Drawing:
    return Drawing(load_scenario("portland"), variation, seed)


def test_a_draw_depends_on_its_number_and_the_seed_alone() -> None:
    usual = load_variation(None, load_scenario("portland"))
    one, other = drawing(usual), drawing(usual)
    other.draw(4)
    assert one.draw(5) == other.draw(5)
    assert len({one.draw(number).seed for number in range(50)}) == 50
    assert one.draw(5) != drawing(usual, seed=2).draw(5)


def test_every_draw_is_a_scenario_that_can_be_played(needs: Callable[[str], str]) -> None:
    needs("flite")
    about = base("portland")
    usual = drawing(Variation(voices=("flite:slt", "flite:rms"), move_m=5))
    for number in range(20):
        drawn = usual.draw(number)
        scenario = prepared(Trial(about, drawn.seed, drawn.overrides)).scenario
        assert {scenario.people["ann"].voice, scenario.people["ben"].voice} == {"flite:slt", "flite:rms"}
        assert scenario.people["ann"].level_db_spl == pytest.approx(68 + float(drawn.factors["level"]), abs=0.01)
        noise = scenario.rooms["living"].background
        assert noise is not None
        assert noise.db_spl == pytest.approx(drawn.factors["noise"], abs=0.01)
        assert [line.gap_ms for line in scenario.script[:2]] == [300, 300]  # reactions stay


def test_what_does_not_differ_is_no_factor() -> None:
    still = Variation(voices=("flite:slt",), move_m=0, level_db=(0, 0), noise_db_spl=(30, 30), rt60_s=(0.3, 0.3))
    assert set(drawing(still).draw(0).factors) == {"gaps"}


def test_other_words_are_drawn_where_they_are_given() -> None:
    words = drawing(Variation(voices=("flite:slt", "flite:rms"), wording={"7": ("A letter about oak.",)}))
    said = [dict(words.draw(number).overrides).get("scenario.script.7.say") for number in range(30)]
    assert 5 < said.count('"A letter about oak."') < 25
    assert said.count(None) == 30 - said.count('"A letter about oak."')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("level_db: [3, -3]\n", r"level_db is \[3.0, -3.0\]: from must not be above to"),
        ("wording: {99: [Hello.]}\n", "wording.99 is of a line that is not there; the script of portland has lines"),
        ("lvel_db: [0, 1]\n", "there is no setting lvel_db; did you mean level_db"),
        ("voices: [slt]\n", "a voice is engine:name"),
    ],
)
def test_a_variation_that_cannot_be_is_one_sentence(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "vary.yaml"
    path.write_text(text)
    with pytest.raises(LabError, match=told):
        load_variation(path, load_scenario("portland"))
