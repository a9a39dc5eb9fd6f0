"""Room in a store whose quota is used up."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.cloud.files import Files
from sim.cloud.quota import Quota, StoreFullError
from sim.errors import StoreError
from sim.review.room import kept_within, make_room
from sim.review.statement import is_genuine, statement_of
from tests.deletion_cases import clip_parts
from tests.review_kit import NOON, Programme
from uplink.keyring import Keyring

DEADLINE_S = 30.0
HOUR = 3600 * 16_000
"""Samples."""


@pytest.fixture
def programme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programme]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    programme = Programme(tmp_path)
    yield programme
    programme.close()


def stored(programme: Programme, device: str, begin: int) -> str:
    """A clip of which is known when it was."""
    parts = clip_parts(begin, device)
    programme.store.add_all(parts)
    return parts[0].clip


def quota_of(programme: Programme, *, deletes: bool, clips: float) -> Quota:
    """A quota for so many of the clips that are there, which are all of a size."""
    quota = Quota(programme.store.files, 1, deletes)
    quota.most = round(quota.held / len(programme.store.clips()) * clips)
    programme.store.quota = quota
    return quota


def test_the_oldest_go_whosever_they_are_each_with_an_order_on_the_record(programme: Programme) -> None:
    devices = [programme.customer(number) for number in (1, 2)]
    clips = [stored(programme, device, hour * HOUR) for hour in range(5) for device in devices]
    quota = quota_of(programme, deletes=True, clips=8)
    room = make_room(programme.store, programme.audit, quota, NOON)
    assert room is not None
    assert [clip for clip in clips if programme.store.clip(clip) is not None] == clips[4:]
    assert quota.held == sum(quota.count().values()) < quota.most
    assert len(room.orders) == 2
    statements = [statement_of(programme.store, programme.signer, order) for order in room.orders]
    assert all(is_genuine(statement, programme.signer) for statement in statements)
    said: list[Any] = [statement["statement"] for statement in statements]
    assert [each["who"] for each in said] == ["the quota of 0 MB"] * 2
    assert sorted(clip for each in said for clip in each["clips"]) == sorted(clips[:4])
    assert make_room(programme.store, programme.audit, quota, NOON) is None


def test_where_it_refuses_what_comes_is_turned_away_until_there_is_room(programme: Programme) -> None:
    device = programme.customer(1)
    clips = [stored(programme, device, hour * HOUR) for hour in range(2)]
    quota_of(programme, deletes=False, clips=2.9)
    third = stored(programme, device, 2 * HOUR)
    with pytest.raises(StoreFullError, match=r"holds the 0 MB that deletion.keep_mb allows; allow more, delete some"):
        stored(programme, device, 3 * HOUR)
    assert [clip.id for clip in programme.store.clips()] == [*clips, third]


def test_a_far_end_makes_room_by_itself_and_tells_it(programme: Programme, tmp_path: Path) -> None:
    news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    device = programme.customer(1)
    clips = [stored(programme, device, hour * HOUR) for hour in range(5)]
    quota_of(programme, deletes=True, clips=4)
    keys = Keyring.of_far_end(tmp_path / "store")
    with kept_within(programme.store, keys, lambda kind, facts: news.put((kind, facts)), every_s=0.01):
        kind, facts = news.get(timeout=DEADLINE_S)
    assert kind == "room_made"
    assert facts["deletions"] == 1
    assert [clip.id for clip in programme.store.clips()] == clips[2:]
    assert programme.audit.verify() is None


def test_a_quota_is_for_a_folder() -> None:
    with pytest.raises(StoreError, match=r"is no folder, so deletion.keep_mb cannot hold"):
        Quota(Files("memory://clips"), 5, deletes=False)
