"""What is said in a simulated week."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.errors import ScenarioError
from sim.review.feedback.talk import Sayings, is_held, load_talk
from sim.review.feedback.week import Week, scenario_of


def test_days_held_out_share_no_sentence_with_the_others() -> None:
    week, talk = Week(seed=3), load_talk()
    days = {
        (home, day): {line.say for line in scenario_of(week, talk, home, day).script}
        for home in range(week.homes)
        for day in range(week.days)
    }
    learned = set().union(*(days[home, day] for home in range(week.homes) for day in week.learned_from))
    held = set().union(*(days[home, day] for home in range(week.homes) for day in week.held_out))
    assert not learned & held
    assert all(len(said) == week.near + week.ordinary + week.commands for said in days.values()), "none twice a day"


def test_one_seed_gives_one_week_and_another_another() -> None:
    talk = load_talk()
    one = scenario_of(Week(seed=1), talk, 2, 3)
    assert scenario_of(Week(seed=1), talk, 2, 3) == one
    assert scenario_of(Week(seed=2), talk, 2, 3).script != one.script
    other = scenario_of(Week(seed=1), talk, 2, 4)
    assert (other.rooms["living room"].size_m, other.account) == (one.rooms["living room"].size_m, one.account)
    assert {p.voice for p in other.people.values()} == {p.voice for p in one.people.values()}
    assert other.script != one.script


def test_a_home_has_two_voices_and_a_device_that_is_called() -> None:
    scenario = scenario_of(Week(), load_talk(), 0, 0)
    assert len({person.voice for person in scenario.people.values()}) == 2
    called = [line for line in scenario.script if line.to == "dot-1"]
    assert len(called) == Week().commands
    assert all(line.say.startswith("Alexa") for line in called)
    assert not any("Alexa" in line.say for line in scenario.script if line.to is None)


@pytest.mark.parametrize(("days", "held"), [(2, [1]), (3, [2]), (7, [5, 6]), (14, [10, 11, 12, 13])])
def test_the_last_days_are_held_out(days: int, held: list[int]) -> None:
    week = Week(days=days)
    assert list(week.held_out) == held
    assert [*week.learned_from, *week.held_out] == list(range(days))


@pytest.mark.parametrize(("size", "told"), [({"days": 1}, "one day"), ({"homes": 0}, "homes"), ({"near": 0}, "talk")])
def test_a_week_that_cannot_be_is_refused(size: dict[str, int], told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        Week(**size)


def test_when_all_has_been_said_it_says_so(tmp_path: Path) -> None:
    file = tmp_path / "talk.yaml"
    file.write_text(
        'near: ["(One|Two)."]\nordinary: ["x"]\ncommands: [{say: "Alexa, {n}.", intent: time}]\nlists: {n: [a]}\n'
    )
    sayings = Sayings(load_talk(file), np.random.default_rng(0), 0, 0.0, False)
    assert {sayings.near(), sayings.near()} == {"One.", "Two."}
    assert sayings.command() == ("Alexa, a.", "time")
    with pytest.raises(ScenarioError, match="has been said; take more templates"):
        sayings.near()


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "talk.yaml"
    file.write_text('near: ["a"]\nordinary: ["{thing}"]\ncommands: [{say: "x", intent: time}]\nlists: {things: [b]}\n')
    with pytest.raises(ScenarioError, match=r"talk\.yaml:2: ordinary\.0 .*there is no list thing; there are: things"):
        load_talk(file)


def test_the_share_that_is_held_is_that_of_the_days() -> None:
    held = [is_held(f"sentence {n}", 5, 2 / 7) for n in range(4000)]
    assert 0.26 < np.mean(held) < 0.31
