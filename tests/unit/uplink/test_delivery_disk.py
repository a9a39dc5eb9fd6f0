"""Delivery from a disk that fails: what is in memory goes on, nothing is lost, nothing stays for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery_kit import RESEND_S, Failing, Wire, payloads, put, receipt
from tests.spool_kit import clip_id, content, fill, row
from uplink.errors import SpoolError
from uplink.inventory import Inventory
from uplink.spool import Spooled


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Failing]:
    spool = Failing(tmp_path / "spool.sqlite")
    yield spool
    spool.close()


def test_what_the_disk_does_not_take_goes_out_of_memory_until_its_receipt(spool: Failing) -> None:
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


def test_a_disk_that_fails_for_a_while_is_left_alone_and_loses_nothing(spool: Failing) -> None:
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
    assert wire.delivery.next_time() == RESEND_S  # of the part that is on its way; the others wait as long from now on
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


@pytest.mark.parametrize("sent_before", [True, False])
def test_what_was_carried_and_then_came_into_the_spool_leaves_it_by_its_own_receipt(
    spool: Failing, sent_before: bool
) -> None:
    wire = Wire(spool)
    wire.delivery.rise(None)
    carried = [row("dot-new", number) for number in range(2)]
    spooled = [("dot-new", number, *row("dot-new", number, 1_001)[2:]) for number in range(2)]  # sealed anew
    wire.delivery.carry(Spooled(*each) for each in carried)
    if sent_before:
        wire.delivery.pump(0)
    for each in spooled:
        put(wire, each)
    wire.delivery.settle([receipt(each) for each in carried if sent_before], 1)
    wire.delivery.pump(2)
    assert wire.take() == payloads([*carried, *spooled] if sent_before else spooled)
    wire.delivery.settle([receipt(each) for each in spooled], 3)
    assert content(spool) == []
    assert [fact["number"] for fact in wire.told("receipt")] == [0, 1]
    assert wire.delivery.next_time() > 100


def test_parts_that_cannot_be_read_hold_up_nothing_and_are_told_once(spool: Failing) -> None:
    wire = Wire(spool, in_flight=100)
    rows = [row(clip_id(clip), number) for clip in range(2) for number in range(20)]
    for each in rows:
        put(wire, each)
    spool.unreadable = {each[:2] for each in rows[:20]}
    carried = [row("dot-new", number) for number in range(12)]
    wire.delivery.carry(Spooled(*each) for each in carried)
    wire.delivery.rise(None)
    wire.delivery.pump(0)
    assert set(payloads(carried)) <= set(wire.sent)
    assert spool.tried == 8, "a disk that takes its time to fail is not asked for all"
    sent, now = wire.take(), 0.0
    while now < 100:
        wire.delivery.settle([receipt(each) for each in [*carried, *rows[20:]] if each[3] in sent], now)
        now = max(now + 0.001, wire.delivery.next_time())
        wire.delivery.pump(now)
        sent = wire.take()
    assert spool.waiting() == [each[:2] for each in rows[:20]]
    told, good = len(wire.told("spool_error")), row("dot-newer", 0)
    assert told <= 2
    put(wire, good)
    wire.delivery.pump(now)
    wire.delivery.settle([receipt(good)], now)
    assert wire.take() == [good[3]]
    wire.delivery.pump(now + 8 * RESEND_S)
    assert len(wire.told("spool_error")) == told, "the same parts are no news"
    spool.unreadable = frozenset()
    wire.delivery.pump(now + 16 * RESEND_S)
    assert sorted(wire.take()) == sorted(payloads(rows[:20]))


def test_what_cannot_be_asked_about_is_sent_in_time(spool: Failing) -> None:
    rows = fill(spool, 2, 2)
    wire = Wire(spool)
    spool.failing = spool.unlisted = True
    wire.delivery.rise(None)
    wire.delivery.carry([Spooled(*row("dot-new", 0))])
    wire.delivery.pump(0)
    wire.delivery.fall()
    wire.delivery.rise(None)
    wire.take()
    wire.delivery.pump(1)
    assert wire.take() == []
    wire.delivery.pump(1 + RESEND_S)
    assert wire.take() == [row("dot-new", 0)[3]]
    spool.failing = False
    wire.delivery.pump(1 + 2 * RESEND_S)
    assert sorted(wire.take()) == sorted(payloads(rows))


def test_a_receipt_that_nothing_waits_for_is_no_sign_that_the_disk_is_mended(spool: Failing) -> None:
    wire = Wire(spool)
    put(wire, row(clip_id(0), 0))
    wire.delivery.rise(None)
    wire.delivery.carry([Spooled(*row("dot-new", 0))])
    wire.delivery.pump(0)
    for number in range(3):
        wire.delivery.trouble(SpoolError("read-only"))
        wire.delivery.settle([receipt(row("dot-new", 0))], number)  # the first settles it, the others come again
    assert wire.told("spool_error") == [{"reason": "read-only"}]
    wire.delivery.settle([receipt(row(clip_id(0), 0))], 4)
    wire.delivery.trouble(SpoolError("read-only"))
    assert len(wire.told("spool_error")) == 2
