"""Delivery with a clock that a test sets, a real spool, and the test itself as broker and far end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery_kit import RESEND_S, Wire, payloads, put, receipt
from tests.spool_kit import clip_id, content, fill, row
from uplink.budget import Budget
from uplink.inventory import Inventory
from uplink.message import Receipt
from uplink.spool import Moment, Spool


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool.sqlite")
    yield spool
    spool.close()


def test_a_rest_that_is_over_by_the_time_one_looks_is_not_slept_through(spool: Spool) -> None:
    wire = Wire(spool, wait_s=0.01)
    put(wire, row(clip_id(0), 0))
    wire.delivery.rise(None)
    wire.delivery.pump(0.0)
    assert wire.delivery.next_time() == 0.01


def test_parts_go_out_as_seats_are_free_and_are_forgotten_on_their_receipts(spool: Spool) -> None:
    wire = Wire(spool)
    rows = [row(clip_id(0), number) for number in range(6)]
    for one in rows:
        put(wire, one)
    wire.delivery.pump(0)
    assert wire.take() == []  # nobody is connected
    wire.delivery.rise(None)
    wire.delivery.pump(0)
    assert wire.take() == payloads(rows[:4])
    wire.delivery.settle([receipt(rows[1]), receipt(rows[1]), receipt(row("dot-x", 9)), receipt(rows[5])], 0.5)
    wire.delivery.pump(1)
    assert wire.take() == payloads(rows[4:5])
    assert content(spool) == [rows[0], *rows[2:5]]
    assert [(fact["number"], fact["complete"]) for fact in wire.told("receipt")] == [(1, False), (5, False)]
    tally = wire.delivery.tally
    assert (tally.sent, tally.retries, tally.receipts, tally.connections) == (5, 0, 2, 1)
    assert tally.round_trips.total_s == 0.5


def test_receipts_with_another_digest_settle_nothing(spool: Spool) -> None:
    wire = Wire(spool)
    put(wire, row(clip_id(0), 0))
    wire.delivery.rise(None)
    wire.delivery.pump(0)
    wire.delivery.settle([Receipt("dot", clip_id(0), 0, "0" * 64, True)], 1)
    assert wire.told("receipt") == []
    wire.delivery.pump(RESEND_S)
    wire.delivery.pump(wire.delivery.next_time())
    assert wire.take() == [row(clip_id(0), 0)[3]] * 2
    assert wire.delivery.tally.retries == 1


def test_a_week_without_a_far_end_costs_few_repetitions_and_no_part(spool: Spool) -> None:
    wire = Wire(spool)
    rows = [row(clip_id(0), number) for number in range(6)]
    for one in rows:
        put(wire, one)
    wire.delivery.rise(None)
    now = 0.0
    while now < 7 * 86_400:
        wire.delivery.pump(now)
        now = max(now + 0.001, wire.delivery.next_time())
    assert len(wire.take()) < 7 * 86_400 / 40 * 4 + 100
    wire.delivery.settle([receipt(one) for one in rows], now)
    assert content(spool) == []


def test_the_broker_s_rate_is_kept(spool: Spool) -> None:
    wire = Wire(spool, wait_s=0.25)
    for number in range(3):
        put(wire, row(clip_id(0), number))
    wire.delivery.rise(None)
    wire.delivery.pump(0)
    assert wire.take() == []
    assert wire.delivery.next_time() == 0.25
    wire.wait_s = 0
    wire.delivery.pump(0.25)
    assert len(wire.take()) == 3


def test_a_broker_that_takes_fewer_at_once_gets_fewer(spool: Spool) -> None:
    wire = Wire(spool)
    for number in range(6):
        put(wire, row(clip_id(0), number))
    wire.delivery.rise(2)
    wire.delivery.pump(0)
    assert len(wire.take()) == 2


def test_what_an_earlier_start_left_is_asked_about_and_only_what_is_missing_is_sent(spool: Spool) -> None:
    rows = fill(spool, 3, 3)
    wire = Wire(spool, in_flight=16)
    put(wire, row("dot-new", 0))
    wire.delivery.rise(None)
    wire.delivery.pump(0)
    assert wire.take() == [row("dot-new", 0)[3]]  # which does not wait for the answer
    ((question, parts),) = wire.asked
    assert parts == {clip_id(c): {n: rows[3 * c + n][2][:16] for n in range(3)} for c in range(3)}
    stored = {clip_id(0): parts[clip_id(0)], clip_id(2): {1: parts[clip_id(2)][1], 2: "f" * 16}, "dot-x": {0: "0" * 16}}
    wire.delivery.reconcile(Inventory("dot", question - 1, parts), 0.5)
    wire.delivery.reconcile(Inventory("dot", question, stored, frozenset({clip_id(0), "dot-x"})), 1)
    wire.delivery.reconcile(Inventory("dot", question, parts), 1)  # once more, and now it is late
    assert wire.told("reconciled") == [{"stored": 4, "missing": 5}]
    receipts = [(fact["clip"], fact["number"], fact["complete"]) for fact in wire.told("receipt")]
    assert receipts == [*((clip_id(0), n, n == 2) for n in range(3)), (clip_id(2), 1, False)]
    wire.delivery.pump(1)
    assert sorted(wire.take()) == sorted(payloads([*rows[3:7], rows[8]]))
    assert wire.delivery.tally.reconciled == 4


def test_many_parts_are_asked_about_page_by_page(spool: Spool) -> None:
    rows = fill(spool, 400, 10, 40)
    wire = Wire(spool)
    wire.delivery.rise(None)
    for page in range(1, 10):
        wire.delivery.pump(page)
        if len(wire.asked) < page:
            break
        question, parts = wire.asked[-1]
        wire.delivery.reconcile(Inventory("dot", question, parts), page)
    assert 2 <= len(wire.asked) <= 3
    assert sum(len(marks) for _, parts in wire.asked for marks in parts.values()) == len(rows)
    assert wire.take() == []
    assert content(spool) == []


@pytest.mark.parametrize("trusted", [True, False])
def test_where_nobody_answers_everything_is_sent(spool: Spool, trusted: bool) -> None:
    rows = fill(spool, 1, 3)
    wire = Wire(spool, trusted=trusted)
    wire.delivery.rise(None)
    wire.delivery.pump(0)
    assert wire.take() == []
    assert len(wire.asked) == trusted
    assert wire.delivery.next_time() == RESEND_S
    wire.delivery.pump(RESEND_S)
    assert wire.take() == payloads(rows)
    assert [fact["reason"] for fact in wire.told("refused")] == ["unknown far end"] * (not trusted)


def test_a_new_connection_asks_about_what_was_on_its_way(spool: Spool) -> None:
    wire = Wire(spool)
    rows = [row(clip_id(0), number) for number in range(6)]
    for one in rows:
        put(wire, one)
    wire.delivery.rise(None)
    wire.delivery.pump(0)
    wire.take()
    wire.delivery.fall()
    wire.delivery.pump(100)
    wire.delivery.rise(None)
    wire.delivery.pump(101)
    assert wire.take() == payloads(rows[4:])
    ((question, parts),) = wire.asked
    assert list(parts[clip_id(0)]) == [0, 1, 2, 3]
    wire.delivery.settle([receipt(rows[0])], 101)  # late, from the connection before
    wire.delivery.rise(None)  # and it is lost again before the answer
    wire.delivery.pump(102)
    assert {number for _, parts in wire.asked[1:] for number in parts[clip_id(0)]} == {1, 2, 3, 4, 5}
    wire.delivery.reconcile(Inventory("dot", question, parts), 103)
    assert wire.told("reconciled") == []


def test_what_was_dropped_or_taken_by_another_program_is_not_sent(spool: Spool) -> None:
    fill(spool, 1, 3)
    wire = Wire(spool)
    wire.delivery.rise(None)
    spool.drop(clip_id(0), "purged")
    wire.delivery.pump(0)
    assert wire.asked == []
    wire.delivery.pump(RESEND_S)
    assert wire.take() == []


def test_clips_that_are_too_old_are_dropped_as_time_goes_by(tmp_path: Path) -> None:
    moment = Moment(0.0, "2026-01-01T00:00:00Z")
    spool = Spool(tmp_path / "spool.sqlite", Budget(age_s=1_000), now=lambda: moment)
    fill(spool, 1, 2)
    wire = Wire(spool)
    wire.delivery.pump(0)
    moment = Moment(1_001.0, "2026-01-01T00:16:41Z")
    wire.delivery.pump(500)
    assert spool.summary().parts == 2
    wire.delivery.pump(wire.delivery.next_time())
    assert [(drop.why, drop.utc) for drop in spool.drops()] == [("age", "2026-01-01T00:16:41Z")]
    spool.close()
