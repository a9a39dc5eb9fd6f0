"""Serials grow, whatever happens between two of them."""

from __future__ import annotations

from pathlib import Path

from sim.cloud.serials import Serials
from sim.cloud.store import ClipStore


def test_each_is_larger_than_all_before_also_after_a_restart_with_a_clock_that_went_back(tmp_path: Path) -> None:
    given: list[int] = []
    for now in (1_000, 10, 0, 5_000):
        store = ClipStore(tmp_path)
        serials = Serials(lambda count, now=now, store=store: store.next_serial(now, count), 3)  # type: ignore[misc]
        given += [serials.next() for _ in range(7)]
        store.close()
    assert given[0] == 1_000
    assert given == sorted(set(given))
    assert 5_000 <= given[-7] < 5_010


def test_a_block_costs_one_reservation() -> None:
    asked: list[int] = []

    def reserve(count: int) -> int:
        asked.append(count)
        return 100 * len(asked)

    serials = Serials(reserve, 2)
    assert [serials.next() for _ in range(5)] == [100, 101, 200, 201, 300]
    assert asked == [2, 2, 2]
