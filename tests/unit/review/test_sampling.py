"""Which clips are drawn: as many as the policy says, nobody who must not be, and the same however it is gone about."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from sim.cloud.schema import AuditRow, ClipRow, DeletedRow, TaskRow
from sim.review.policy import ReviewPolicy, load_policy
from sim.review.queues import queue_of
from sim.review.sampling import Drawn, draw, luck
from tests.review_kit import Programme

CLIPS = 400
"""Of each of the five customers."""


def policy(name: str = "2019-august", **changes: object) -> ReviewPolicy:
    return load_policy(name, [(key, str(value)) for key, value in changes.items()])


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programme]:
    """Customers who said nothing, yes, and no; clips of each kind; some deleted, some not complete."""
    made = Programme(tmp_path_factory.mktemp("programme"))
    for number, choice in enumerate((None, "in", "out", None, "in"), 1):
        device = made.customer(number, choice=choice)  # type: ignore[arg-type]
        made.rows(device, CLIPS // 2)
        made.rows(device, CLIPS // 4, "a lecture about oak", CLIPS)
        made.rows(device, CLIPS // 4, "", 2 * CLIPS)
    with made.store.database.writing() as session:
        gone = session.scalars(select(ClipRow).where(ClipRow.device == "dot-4").limit(CLIPS // 2)).all()
        session.add_all(
            DeletedRow(clip=row.id, device=row.device, asked=row.id, what=["audio"], swept=True) for row in gone
        )
        for row in session.scalars(select(ClipRow).where(ClipRow.device == "dot-5").limit(CLIPS // 2)):
            row.complete = False
    yield made
    made.close()


def tasks(programme: Programme) -> list[tuple[str, str, int, str, float]]:
    rows = select(TaskRow.id, TaskRow.clip, TaskRow.copy, TaskRow.queue, TaskRow.chance).order_by(TaskRow.id)
    with programme.store.database.reading() as session:
        return [tuple(row) for row in session.execute(rows)]  # type: ignore[misc]


def drawn_by(programme: Programme, chosen: ReviewPolicy, seed: int, at_once: int = 5_000) -> tuple[Drawn, list[str]]:
    """Draw into an empty queue, and give the clips that were drawn too."""
    with programme.store.database.writing() as session:
        session.execute(delete(TaskRow))
    drawn = draw(programme.store, chosen, seed, programme.audit, programme.clock, at_once=at_once)
    return drawn, sorted({clip for _, clip, *_ in tasks(programme)})


def within(count: int, n: int, rate: float) -> bool:
    """Within five standard deviations of the binomial distribution: a fair draw fails once in two million."""
    return abs(count - n * rate) <= 5 * math.sqrt(n * rate * (1 - rate)) + 1


@given(st.integers(0, 2**32), st.floats(0.001, 0.999))
def test_luck_is_even(seed: int, rate: float) -> None:
    lucks = [luck(seed, "clip", f"dot-{n}") for n in range(1_000)]
    assert within(sum(each < rate for each in lucks), 1_000, rate)
    assert all(0 <= each < 1 for each in lucks)
    assert lucks != [luck(seed + 1, "clip", f"dot-{n}") for n in range(1_000)]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 1_000),
    st.sampled_from([0.0, 0.002, 0.05, 0.5, 1.0]),
    st.sampled_from(["everybody", "opt-out", "opt-in"]),
)
def test_as_many_as_the_policy_says_and_nobody_who_must_not_be(
    programme: Programme, seed: int, rate: float, consent: str
) -> None:
    drawn, clips = drawn_by(programme, policy(rate=rate, consent=consent), seed)
    allowed = {"everybody": "12345", "opt-out": "1245", "opt-in": "25"}[consent]
    # Of the fourth customer half was deleted, of the fifth half is not complete.
    assert drawn.considered == sum(CLIPS // 2 if number in "45" else CLIPS for number in allowed)
    assert within(drawn.drawn, drawn.considered, rate)
    assert drawn.drawn == len(clips)
    with programme.store.database.reading() as session:
        gone = set(session.scalars(select(DeletedRow.clip)))
        whole = set(session.scalars(select(ClipRow.id).where(ClipRow.complete)))
    assert not gone & set(clips)
    assert set(clips) <= whole
    assert {clip.split("-")[1] for clip in clips} <= set(allowed)
    assert sum(drawn.by_reason.values()) == drawn.drawn
    assert drawn.considered + sum(drawn.left_out.values()) == 5 * CLIPS
    assert drawn.left_out["deleted"] == CLIPS // 2


@pytest.mark.parametrize("at_once", [1_999, 37, 5_000])
def test_batches_and_order_do_not_matter(programme: Programme, at_once: int) -> None:
    chosen = policy(rate=0.1, double=0.3)
    drawn_by(programme, chosen, 3)
    whole = tasks(programme)
    drawn_by(programme, chosen, 3, at_once=at_once)
    assert tasks(programme) == whole


def test_the_same_draw_again_draws_what_came_since_and_nothing_twice(tmp_path: Path) -> None:
    made = Programme(tmp_path)
    device = made.customer(1)
    made.rows(device, 300)
    chosen = policy(rate=0.2, double=0.5)
    first = draw(made.store, chosen, 1, made.audit, made.clock)
    before = tasks(made)
    again = draw(made.store, chosen, 1, made.audit, made.clock)
    assert (again.drawn, again.tasks, again.already) == (0, 0, first.drawn)
    assert tasks(made) == before
    made.rows(device, 300, first=300)
    more = draw(made.store, chosen, 1, made.audit, made.clock)
    assert more.drawn > 0
    assert more.already == first.drawn
    assert set(before) < set(tasks(made))
    at_once = Programme(tmp_path / "at once")
    at_once.rows(at_once.customer(1), 600)
    draw(at_once.store, chosen, 1, at_once.audit, at_once.clock)
    assert tasks(at_once) == tasks(made)
    entries = [link.entry for link in made.audit.entries(action="draw")]
    assert [entry.details["drawn"] for entry in entries] == [first.drawn, 0, more.drawn]
    assert entries[0].details["policy"] == "2019-august"
    made.close()
    at_once.close()


def test_strata_have_rates_of_their_own(programme: Programme) -> None:
    drawn, clips = drawn_by(programme, policy(strata="{false-wakes: 1}"), 1)
    assert all(int(clip[-12:]) >= CLIPS * 16_000 for clip in clips)
    assert drawn.drawn == len(clips) == CLIPS // 2 * 2 + 0 + (CLIPS // 2) + (CLIPS // 2)
    assert set(drawn.by_reason) == {"false-wakes: suspected"}
    assert {(queue, chance) for *_, queue, chance in tasks(programme)} == {("false-wakes", 1.0)}
    drawn, _ = drawn_by(programme, policy(strata="{general: 0.5, low-confidence: 0.1}"), 1)
    assert set(drawn.by_reason) == {"general: random"}


def test_some_customers_alone(programme: Programme) -> None:
    """Whoever is drawn from is drawn the more often: a clip's chance stays the same."""
    chosen = policy(rate=0.2, customers=0.5, consent="everybody")
    counts = []
    for seed in range(20):
        drawn, clips = drawn_by(programme, chosen, seed)
        devices = {clip[:5] for clip in clips}
        assert all(luck(seed, "customer", f"A{int(device[-1]):010d}") < 0.5 for device in devices)
        counts.append(drawn.drawn)
        assert within(drawn.drawn, drawn.considered, 0.4)
    # All five have 1600 clips that can be drawn.
    assert 0.8 < sum(counts) / (20 * 1_600 * 0.2) < 1.2


def test_two_annotate_the_share_that_is_to_be_annotated_twice(programme: Programme) -> None:
    drawn, _ = drawn_by(programme, policy(rate=1, double=0.25), 5)
    assert within(drawn.tasks - drawn.drawn, drawn.drawn, 0.25)
    assert {copy for _, _, copy, *_ in tasks(programme)} == {0, 1}


def test_nobody_listens_under_none(programme: Programme) -> None:
    drawn, clips = drawn_by(programme, load_policy("none", [("rate", "1")]), 1)
    assert (drawn.considered, drawn.drawn, clips) == (0, 0, [])
    assert drawn.left_out["nobody listens under this policy"] == 5 * CLIPS - CLIPS


def test_handles_say_nothing_of_clips(programme: Programme) -> None:
    chosen = policy(rate=0.1)
    drawn_by(programme, chosen, 1)
    plain = {task for task, *_ in tasks(programme)}
    with programme.store.database.writing() as session:
        session.execute(delete(TaskRow))
    draw(programme.store, chosen, 1, programme.audit, programme.clock, secret=b"s" * 16)
    secret = {task for task, *_ in tasks(programme)}
    assert not plain & secret
    with programme.store.database.reading() as session:
        assert "dot-" not in str(session.scalars(select(AuditRow.details).where(AuditRow.action == "draw")).all())


@pytest.mark.parametrize(
    ("facts", "words", "queue"),
    [
        ({"initiator": "wakeword", "word": "alexa"}, [("alexa", 0, 1, 0.9)], "general"),
        ({"initiator": "wakeword", "word": "hey_jarvis"}, [("hey", 0, 1, 0.9), ("jarvis", 0, 1, 0.9)], "general"),
        ({"initiator": "wakeword", "word": "hey_jarvis"}, [("hey", 0, 1, 0.9), ("travis", 0, 1, 0.9)], "false-wakes"),
        ({"initiator": "wakeword", "word": "alexa"}, [], "false-wakes"),
        ({"initiator": "wakeword", "word": "alexa"}, [("alexa", 0, 1, 0.3)], "low-confidence"),
        ({"initiator": "expect_speech"}, [("frank", 0, 1, 0.9)], "general"),
        ({"initiator": "expect_speech"}, [], "low-confidence"),
        ({"initiator": "wakeword", "word": "alexa"}, None, "general"),
        ({}, None, "general"),
    ],
)
def test_queues(facts: dict[str, str], words: list[tuple[str, int, int, float]] | None, queue: str) -> None:
    assert queue_of(facts, words, 0.5)[0] == queue
