"""Retention that a far end carries out by itself."""

from __future__ import annotations

import queue
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sim.cloud.settings import DeletionSettings
from sim.errors import StoreAwayError
from sim.review.keeping import kept_daily
from tests.review_kit import NOON, Clock, Programme
from uplink.keyring import Keyring

DEADLINE_S = 30.0
SOON_S = 0.02


@pytest.fixture
def programme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programme:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    programme = Programme(tmp_path)
    programme.rows(programme.customer(1), 3)
    return programme


def test_what_was_kept_long_enough_goes_by_itself_and_is_told(programme: Programme, tmp_path: Path) -> None:
    news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    clock, seconds = Clock(NOON + timedelta(days=40)), [0.0]
    looks: queue.SimpleQueue[None] = queue.SimpleQueue()

    def monotonic_s() -> float:
        looks.put(None)
        return seconds[0]

    keys = Keyring.of_far_end(tmp_path / "store")
    keep = kept_daily(
        programme.store,
        keys,
        DeletionSettings(keep_days=41),
        lambda kind, facts: news.put((kind, facts)),
        first_s=SOON_S,
        every_s=SOON_S,
        now=clock,
        monotonic_s=monotonic_s,
    )
    with keep:
        for _ in range(5):
            looks.get(timeout=DEADLINE_S)
        assert news.empty()
        assert len(list(programme.store.clips())) == 3
        # The clock is set by years: that is told, and nothing goes by it at once.
        clock.at += timedelta(days=4000)
        assert news.get(timeout=DEADLINE_S) == ("retention_put_off", {"step_s": 4000 * 86_400})
        assert news.get(timeout=DEADLINE_S) == ("retention", {"deletions": 1})
        assert list(programme.store.clips()) == []
    programme.close()


def test_a_clock_that_is_set_back_in_time_costs_nothing(programme: Programme, tmp_path: Path) -> None:
    news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    clock, looks = Clock(NOON + timedelta(days=10)), 0
    done: queue.SimpleQueue[None] = queue.SimpleQueue()

    def monotonic_s() -> float:
        nonlocal looks
        looks += 1
        if looks == 2:
            clock.at += timedelta(days=4000)
        elif looks == 3:
            clock.at -= timedelta(days=4000)
        elif looks == 6:
            done.put(None)
        return 0.0

    keys = Keyring.of_far_end(tmp_path / "store")
    settings = DeletionSettings(keep_days=41)

    def tell(kind: str, facts: Any) -> None:
        news.put((kind, facts))

    with kept_daily(
        programme.store, keys, settings, tell, first_s=SOON_S, every_s=SOON_S, now=clock, monotonic_s=monotonic_s
    ):
        done.get(timeout=DEADLINE_S)
    assert [news.get(timeout=DEADLINE_S)[0] for _ in range(2)] == ["retention_put_off"] * 2
    assert news.empty()
    assert len(list(programme.store.clips())) == 3
    programme.close()


def test_a_store_that_is_away_is_said_and_tried_again(
    programme: Programme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def away(*_: object) -> list[str]:
        raise StoreAwayError("the store is away")

    def tell(kind: str, facts: Any) -> None:
        news.put((kind, facts))

    monkeypatch.setattr("sim.review.keeping.retain", away)
    keys, settings = Keyring.of_far_end(tmp_path / "store"), DeletionSettings(keep_days=1)
    with kept_daily(programme.store, keys, settings, tell, first_s=SOON_S, every_s=SOON_S):
        for _ in range(2):
            assert news.get(timeout=DEADLINE_S) == ("retention_failed", {"reason": "the store is away"})
    programme.close()
