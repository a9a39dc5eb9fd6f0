"""Who answers where several devices heard one word."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.cloud.arbiter import SAMPLE_NS, Arbiter, Claim, Ruling, claim_of
from uplink.message import JSON, Part

SECOND = 1_000_000_000


def claim(device: str, begin_ms: int, level_db: float, length_ms: int = 575) -> Claim:
    begin = begin_ms * 1_000_000
    return Claim(f"{device}-{begin_ms}", device, begin, begin + length_ms * 1_000_000, level_db)


def winners(arbiter: Arbiter, *claims: Claim) -> set[str]:
    rulings = {each.clip: arbiter.ruling(each.clip) for each in claims}
    return {clip for clip, ruling in rulings.items() if ruling is None or ruling.won}


def test_who_stands_alone_is_not_ruled_on() -> None:
    arbiter = Arbiter()
    assert arbiter.hear(claim("hall", 0, -30)) == ()
    assert arbiter.hear(claim("kitchen", 575, -20)) == (), "it begins where the other ends"
    assert arbiter.ruling("hall-0") is None
    assert arbiter.ruling("cellar-0") is None


def test_the_loudest_wins_and_both_hear_of_it() -> None:
    arbiter = Arbiter()
    arbiter.hear(claim("hall", 0, -30))
    new, old = arbiter.hear(claim("kitchen", 80, -20))
    assert (new.clip, new.won, new.winner) == ("kitchen-80", True, "kitchen")
    assert (old.clip, old.won, old.winner) == ("hall-0", False, "kitchen")
    assert old.facts() == {
        "clip": "hall-0",
        "device": "hall",
        "winner": "kitchen",
        "level_db": -30,
        "of": [["kitchen", -20], ["hall", -30]],
    }


def test_only_what_changes_is_told() -> None:
    arbiter = Arbiter()
    for each in (claim("hall", 0, -30), claim("kitchen", 80, -20)):
        arbiter.hear(each)
    (third,) = arbiter.hear(claim("attic", 80, -25))
    assert (third.clip, third.won, third.of[0]) == ("attic-80", False, ("kitchen", -20))
    assert arbiter.hear(claim("attic", 80, -25)) == (), "the same part again"


def test_of_equals_the_first_by_name_wins() -> None:
    for names in (("hall", "attic"), ("attic", "hall")):
        arbiter = Arbiter()
        arbiter.hear(claim(names[0], 0, -20))
        assert {ruling.winner for ruling in arbiter.hear(claim(names[1], 0, -20))} == {"attic"}


def test_who_was_answered_has_won_however_loud_the_late_one_is() -> None:
    arbiter = Arbiter()
    arbiter.hear(claim("hall", 0, -40))
    arbiter.answered("hall-0")
    arbiter = Arbiter(json.loads(json.dumps(arbiter.state)))
    late, first = arbiter.hear(claim("kitchen", 0, -10))
    assert (late.won, first.won) == (False, True)
    arbiter.answered("cellar-0")  # never heard of


def test_what_is_long_past_is_forgotten() -> None:
    arbiter = Arbiter()
    arbiter.hear(claim("hall", 0, -40))
    arbiter.hear(claim("hall", 3_600_000, -40))
    assert [row[0] for row in arbiter.state if isinstance(row, list)] == ["hall-3600000"]


claims = st.lists(
    st.builds(
        claim,
        st.sampled_from(["attic", "cellar", "hall", "kitchen", "porch"]),
        st.integers(0, 4000),
        st.integers(-60, 0).map(float),
        st.integers(1, 1500),
    ),
    max_size=8,
    unique_by=lambda each: each.clip,
)


@given(claims.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_in_which_they_come_does_not_matter(given: tuple[list[Claim], list[Claim]]) -> None:
    """Nor whether one arbiter hears them all, or each a new one with the state that the last one left."""
    some, others = given
    one, state = Arbiter(), Arbiter().state
    told: dict[str, Ruling] = {}
    for each in some:
        told |= {ruling.clip: ruling for ruling in one.hear(each)}
    for each in others:
        other = Arbiter(json.loads(json.dumps(state)))
        other.hear(each)
        state = other.state
    assert state == one.state
    assert winners(Arbiter(state), *some) == winners(one, *some)
    assert {clip for clip, ruling in told.items() if not ruling.won} == {each.clip for each in some} - winners(
        one, *some
    ), "what is told adds up to what is so"
    for a in some:
        for b in some:
            if a is not b and a.begin_ns < b.end_ns and b.begin_ns < a.end_ns:
                assert not {a.clip, b.clip} <= winners(one, *some), "two who heard the same do not both answer"


@given(claims.filter(bool))
def test_the_loudest_of_all_always_wins(some: list[Claim]) -> None:
    arbiter = Arbiter()
    for each in some:
        arbiter.hear(each)
    assert min(some, key=lambda each: each.rank).clip in winners(arbiter, *some)


FACTS: Mapping[str, JSON] = {
    "initiator": "wakeword",
    "utc": "2018-05-25T01:30:00.000000Z",
    "word_begin": 32_000,
    "word_end": 41_200,
    "voice_dbfs": -23.456,
}


def part(facts: Mapping[str, JSON], number: int = 0) -> Part:
    return Part("hall", "hall-x-000000024000", number, True, 24_000, 24_000, facts, b"")


def test_a_claim_stands_in_the_opening_of_a_clip() -> None:
    found = claim_of(part(FACTS))
    assert found is not None
    assert (found.device, found.clip, found.level_db) == ("hall", "hall-x-000000024000", -23.46)
    assert found.begin_ns == 1_527_211_800 * SECOND + 2 * SECOND
    assert found.end_ns - found.begin_ns == 9_200 * SAMPLE_NS
    same = claim_of(part({**FACTS, "utc": "2018-05-24T18:30:00-07:00"}))
    assert same == found


@pytest.mark.parametrize(
    "facts",
    [
        {"initiator": "expect_speech"},
        {"utc": None},
        {"utc": "yesterday"},
        {"utc": "2018-05-25T01:30:00"},
        {"word_begin": None},
        {"word_begin": 41_200},
        {"word_end": True},
        {"word_end": 41_200.5},
        {"voice_dbfs": "loud"},
    ],
)
def test_without_word_time_or_level_there_is_no_claim(facts: dict[str, JSON]) -> None:
    assert claim_of(part({**FACTS, **facts})) is None


def test_only_the_first_part_has_it() -> None:
    assert claim_of(part(FACTS, 1)) is None
