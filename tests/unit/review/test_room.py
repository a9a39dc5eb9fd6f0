"""Room in a store whose quota is used up."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from sim.cloud.files import Files
from sim.cloud.quota import Quota, StoreFullError
from sim.errors import AuditError, StoreError
from sim.review.chain import Entry
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
    quota.most = round(sum(quota.count().values()) / len(programme.store.clips()) * clips)
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


def left(programme: Programme) -> list[str]:
    return [clip.id for clip in programme.store.clips()]


def test_nothing_more_goes_while_what_went_does_not_stand_in_the_log(programme: Programme) -> None:
    device = programme.customer(1)
    clips = [stored(programme, device, hour * HOUR) for hour in range(5)]
    quota = quota_of(programme, deletes=True, clips=5)
    programme.audit.record(Entry("somebody", "operator", "look"), NOON)
    head = programme.heads[0]
    noted = head.read_bytes()
    head.write_bytes(b"?")
    for _ in range(2):  # the first learns of it too late, the second is warned
        with pytest.raises(AuditError, match="is damaged"):
            make_room(programme.store, programme.audit, quota, NOON)
        assert left(programme) == clips[1:]
        quota.most = quota.count()[clips[1]] * 3
    head.write_bytes(noted)
    assert make_room(programme.store, programme.audit, quota, NOON) is not None
    assert left(programme) == clips[3:]
    assert [entry.entry.action for entry in programme.audit.entries()] == ["look", "delete", "delete"]
    assert programme.audit.verify() is None


def test_where_the_dated_clips_would_not_make_room_none_of_them_goes_and_it_says_what_may_fill_it(
    programme: Programme, tmp_path: Path
) -> None:
    device = programme.customer(1)
    clips = [stored(programme, device, hour * HOUR) for hour in range(3)]
    quota_of(programme, deletes=True, clips=3)
    by_hand = tmp_path / "store" / "audio" / device / "by-hand"
    by_hand.mkdir()
    (by_hand / "00000.flac").write_bytes(bytes(100_000))
    news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    keys = Keyring.of_far_end(tmp_path / "store")
    with kept_within(programme.store, keys, lambda kind, facts: news.put((kind, facts)), every_s=0.01):
        kind, facts = news.get(timeout=DEADLINE_S)
    assert kind == "room_failed"
    assert "files that belong to no clip in its database" in facts["reason"]
    assert left(programme) == clips


@pytest.mark.parametrize("when", ["before", "after"])
def test_two_that_make_room_at_once_take_no_more_than_one(
    programme: Programme, when: Literal["before", "after"]
) -> None:
    device = programme.customer(1)
    clips = [stored(programme, device, hour * HOUR) for hour in range(10)]
    other = quota_of(programme, deletes=True, clips=8)

    class Overtaken(Quota):
        """Another program makes room before, or just after, it is counted."""

        met = True

        def count(self) -> dict[str, int]:
            meet, self.met = not self.met, True
            if meet and when == "before":
                make_room(programme.store, programme.audit, other, NOON)
            sizes = super().count()
            if meet and when == "after":
                make_room(programme.store, programme.audit, other, NOON)
            return sizes

    quota = Overtaken(programme.store.files, 1, deletes=True)
    quota.most = other.most
    quota.add(2 * quota.most)
    quota.met = False
    make_room(programme.store, programme.audit, quota, NOON)
    assert left(programme) == clips[3:]
