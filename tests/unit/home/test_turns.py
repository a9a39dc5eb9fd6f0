"""Who speaks when: the script alone, without any sound."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim.home.turns import Prompt, Turns
from tests.home_kit import scenario

SECOND = 16_000
LENGTHS = {"One.": SECOND, "Two.": SECOND // 2}

ONE = {"who": "ann", "say": "One."}
TWO = {"who": "ben", "say": "Two."}


def turns(*script: dict[str, Any], ann: str = "react", ben: str = "react") -> Turns:
    people = scenario().model_dump(mode="json")["people"]
    people["ann"]["on_prompt"], people["ben"]["on_prompt"] = ann, ben
    return Turns(scenario(*script, people=people))


def play(
    turns: Turns, prompts: Iterable[Prompt] = (), heard_by: tuple[str, ...] = ("ann", "ben")
) -> list[tuple[str, int]]:
    """Everything that is said, and when."""
    said: list[tuple[str, int]] = []
    prompts = sorted(prompts, key=lambda prompt: prompt.begin)
    ended: list[Prompt] = []
    now = 0
    while True:
        left = [prompt for prompt in prompts if prompt not in ended]
        coming = [prompt.begin for prompt in left if prompt.begin > now] + [prompt.end for prompt in left]
        playing = [prompt for prompt in left if prompt.begin <= now]
        due = turns.due(playing)
        if due is None and not coming:
            return said
        moment = min([*coming, *([] if due is None else [max(due, now)])])
        now = moment
        over = next((prompt for prompt in playing if prompt.end == now), None)
        if over is not None:
            ended.append(over)
            for who in heard_by:
                turns.heard(over, who)
        elif due is not None and due <= now:
            if turns.gives_up():
                turns.give_up(now)
            elif (prompt := turns.listens(now, playing)) is not None and turns.next.who in heard_by:
                turns.hold(prompt)
            else:
                line = turns.say(now, now + LENGTHS[turns.next.say])
                said.append((line.who, now * 1000 // SECOND))


def prompt(begin_ms: int, end_ms: int, text: str = "To whom?", number: int = 0) -> Prompt:
    return Prompt(number, "dot", text, begin_ms * 16, end_ms * 16)


def test_lines_follow_each_other() -> None:
    assert play(turns(ONE, TWO, {**ONE, "at_ms": 5000}, {**TWO, "gap_ms": -400})) == [
        ("ann", 300),
        ("ben", 1600),
        ("ann", 5000),
        ("ben", 5600),
    ]


def test_who_pauses_waits_for_the_end_of_a_prompt_that_is_heard() -> None:
    script = (ONE, {**TWO, "gap_ms": 500})
    for ben in ("pause", "react"):
        assert play(turns(*script, ben=ben), [prompt(1400, 2600)])[1] == ("ben", 3100)
    assert play(turns(*script, ben="ignore"), [prompt(1400, 2600)])[1] == ("ben", 1800)
    assert play(turns(*script, ben="pause"), [prompt(1400, 2600)], heard_by=("ann",))[1] == ("ben", 1800)


def test_a_prompt_must_have_sounded_for_a_moment_to_hold_somebody_up() -> None:
    assert play(turns(ONE, {**TWO, "gap_ms": 500}), [prompt(1601, 2600)])[1] == ("ben", 1800)
    assert play(turns(ONE, {**TWO, "gap_ms": 500}), [prompt(1600, 2600)])[1] == ("ben", 3100)


def test_one_prompt_after_another_holds_up_for_both() -> None:
    both = [prompt(1400, 2600), prompt(2700, 4000, number=1)]
    assert play(turns(ONE, {**TWO, "gap_ms": 500}), both)[1] == ("ben", 4500)


def test_a_reaction_comes_its_gap_after_the_prompt_and_what_follows_waits_for_it() -> None:
    script = (ONE, {**TWO, "when_heard": "TO WHOM", "gap_ms": 600}, {**ONE, "gap_ms": 100})
    assert play(turns(*script), [prompt(2000, 3000)]) == [("ann", 300), ("ben", 3600), ("ann", 4200)]


def test_without_its_prompt_a_reaction_is_left_out_after_a_while() -> None:
    script = (ONE, {**TWO, "when_heard": "to whom"}, {**ONE, "gap_ms": 100})
    assert play(turns(*script)) == [("ann", 300), ("ann", 11_300)]
    assert play(turns(*script), [prompt(2000, 3000, "Frank, right?")]) == [("ann", 300), ("ann", 11_300)]
    assert play(turns(*script), [prompt(2000, 3000)], heard_by=("ann",)) == [("ann", 300), ("ann", 11_300)]
    quick = (ONE, {**TWO, "when_heard": "*", "wait_ms": 1500}, {**ONE, "gap_ms": 100})
    assert play(turns(*quick)) == [("ann", 300), ("ann", 2800)]


def test_a_prompt_that_still_plays_is_waited_for() -> None:
    quick = (ONE, {**TWO, "when_heard": "*", "wait_ms": 500}, {**ONE, "gap_ms": 100})
    assert play(turns(*quick), [prompt(1700, 4000)])[:2] == [("ann", 300), ("ben", 4300)]


def test_a_prompt_from_before_the_line_before_is_no_reason() -> None:
    script = ({**ONE, "gap_ms": 4000}, {**TWO, "when_heard": "*", "wait_ms": 1000})
    assert play(turns(*script), [prompt(1000, 2000)]) == [("ann", 4000)]


def test_each_prompt_is_reacted_to_once_and_two_may_react_to_one() -> None:
    asks = [prompt(2000, 3000), prompt(6000, 7000, "Frank, right?", 1)]
    dialog = (ONE, {**TWO, "when_heard": "*", "gap_ms": 500}, {**TWO, "when_heard": "*", "gap_ms": 500})
    assert play(turns(*dialog), asks) == [("ann", 300), ("ben", 3500), ("ben", 7500)]
    both = (ONE, {**TWO, "when_heard": "*", "gap_ms": 500}, {**ONE, "when_heard": "whom", "gap_ms": 200})
    assert play(turns(*both), asks[:1]) == [("ann", 300), ("ben", 3500), ("ann", 4200)]


def test_a_reaction_that_nobody_waits_for_may_come_at_any_time() -> None:
    armed = {**TWO, "when_heard": "whom", "gap_ms": 200, "wait_ms": 0}
    script = (ONE, armed, {**ONE, "gap_ms": 1000}, {**ONE, "gap_ms": 1000})
    assert play(turns(*script)) == [("ann", 300), ("ann", 2300), ("ann", 4300)]
    assert play(turns(*script), [prompt(2800, 3500)]) == [("ann", 300), ("ann", 2300), ("ben", 3700), ("ann", 5200)]
    assert play(turns(*script), [prompt(2800, 3500)], heard_by=()) == [("ann", 300), ("ann", 2300), ("ann", 4300)]
    late = turns(*script)
    assert play(late, [prompt(6000, 7000)])[-1] == ("ben", 7200)


def test_nobody_speaks_twice_at_once_though_a_prompt_has_moved_things() -> None:
    script = (TWO, {**ONE, "gap_ms": 200}, {**ONE, "at_ms": 3000})
    assert play(turns(*script), [prompt(700, 2500)]) == [("ben", 300), ("ann", 2700), ("ann", 3700)]
