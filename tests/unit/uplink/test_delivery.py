"""Delivery with a clock that a test sets, a real spool, and the test itself as broker and far end."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.spool_kit import Row, clip_id, content, fill, row
from uplink.budget import Budget
from uplink.delivery import Delivery
from uplink.errors import MessageError, SpoolError
from uplink.inventory import Inventory, Parts
from uplink.message import Receipt
from uplink.spool import Moment, Spool, Spooled

RESEND_S = 5.0


@dataclass
class Wire:
    """A delivery, what it publishes and asks, and what it tells."""

    spool: Spool
    up: bool = True
    wait_s: float = 0.0
    trusted: bool = True
    in_flight: int = 4
    sent: list[bytes] = field(default_factory=list)
    asked: list[tuple[int, Parts]] = field(default_factory=list)
    facts: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.delivery = Delivery(
            self.spool,
            publish=self._publish,
            ask=self._ask,
            wait_s=lambda: self.wait_s,
            on_fact=lambda kind, facts: self.facts.append((kind, facts)),
            in_flight=self.in_flight,
            resend_s=RESEND_S,
            chance=random.Random(1),
        )

    def _publish(self, payload: bytes) -> bool:
        if self.up:
            self.sent.append(payload)
        return self.up

    def _ask(self, question: int, parts: Parts) -> None:
        if not self.trusted:
            raise MessageError("no far end is trusted", "unknown far end")
        self.asked.append((question, parts))

    def take(self) -> list[bytes]:
        """Give what was sent since the last time."""
        sent, self.sent = self.sent, []
        return sent

    def told(self, kind: str) -> list[Mapping[str, Any]]:
        return [facts for told, facts in self.facts if told == kind]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool.sqlite")
    yield spool
    spool.close()


def put(wire: Wire, one: Row, *, last: bool = False) -> None:
    assert wire.spool.put(*one, last=last)
    wire.delivery.offer_all([one[:2]])


def receipt(one: Row, *, complete: bool = False) -> Receipt:
    return Receipt("dot", one[0], one[1], one[2], complete)


def payloads(rows: list[Row]) -> list[bytes]:
    return [one[3] for one in rows]


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


class Failing(Spool):
    """A spool on a disk that fails when it is told to."""

    failing = False

    def get(self, clip: str, number: int) -> Spooled | None:
        if self.failing:
            raise SpoolError("the disk fails")
        return super().get(clip, number)

    def settle(self, receipts: Any) -> set[tuple[str, int]]:
        if self.failing:
            raise SpoolError("the disk fails")
        return super().settle(receipts)


def test_what_the_disk_does_not_take_goes_out_of_memory_until_its_receipt(tmp_path: Path) -> None:
    spool = Failing(tmp_path / "spool.sqlite")
    wire = Wire(spool)
    wire.delivery.rise(None)
    spool.failing = True
    rows = [row("dot-new", number) for number in range(3)]
    wire.delivery.carry(Spooled(*each) for each in rows)
    wire.delivery.pump(0)
    assert wire.take() == [each[3] for each in rows]
    wire.delivery.settle([receipt(rows[0])], 1)
    assert [fact["number"] for fact in wire.told("receipt")] == [0]
    wire.delivery.fall()
    wire.delivery.rise(None)
    wire.delivery.pump(2)
    ((question, parts),) = wire.asked
    assert list(parts["dot-new"]) == [1, 2]
    wire.delivery.reconcile(Inventory("dot", question, {"dot-new": {1: parts["dot-new"][1]}}), 3)
    assert [fact["number"] for fact in wire.told("receipt")] == [0, 1]
    wire.delivery.pump(4)
    assert wire.take() == [rows[2][3]]
    wire.delivery.forget("dot-new")
    spool.failing = False
    wire.delivery.settle([receipt(rows[2])], 5)
    assert [fact["number"] for fact in wire.told("receipt")] == [0, 1]
    spool.close()


def test_a_disk_that_fails_for_a_while_is_left_alone_and_loses_nothing(tmp_path: Path) -> None:
    spool = Failing(tmp_path / "spool.sqlite")
    fill(spool, 1, 2)
    wire = Wire(spool)
    put(wire, row("dot-new", 0))
    wire.delivery.rise(None)
    wire.delivery.pump(0)
    (question, parts) = wire.asked[0]
    spool.failing = True
    wire.delivery.settle([receipt(row("dot-new", 0))], 0)
    wire.delivery.reconcile(Inventory("dot", question, parts), 0)
    wire.delivery.pump(1)
    assert wire.told("spool_error") == [{"reason": "the disk fails"}]
    assert wire.delivery.next_time() == 1 + RESEND_S
    wire.delivery.pump(2)
    assert len(wire.take()) == 1
    spool.failing = False
    wire.delivery.pump(1 + RESEND_S)
    wire.delivery.pump(wire.delivery.next_time())
    assert len(wire.take()) == 3
    wire.delivery.settle([receipt(row("dot-new", 0))], 7)
    spool.failing = True
    wire.delivery.settle([receipt(row("dot-000000", 0))], 7)
    assert wire.told("spool_error") == [{"reason": "the disk fails"}] * 2  # after a success it is news again
    spool.close()
