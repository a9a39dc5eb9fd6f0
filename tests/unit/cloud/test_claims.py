"""Of several receivers on one store, one answers each clip; another does when that one is dead, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.cloud.claims import Claim, Watch
from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript
from sim.errors import TakenOverError
from tests.uplink_kit import cut, noise

CLIPS = [cut(noise(100), 100, begin=begin) for begin in (0, 1000)]
FIRST, SECOND = (parts[0].clip for parts in CLIPS)
HEARD = Transcript("unacceptable", (), "counter")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[ClipStore, ClipStore]]:
    """Two receivers' ways to one store, in which two clips wait for their answers."""
    one, other = ClipStore(tmp_path), ClipStore(tmp_path)
    for parts in CLIPS:
        one.add(parts[0])
    yield one, other
    one.close()
    other.close()


def test_of_all_who_claim_a_clip_one_gets_it(stores: tuple[ClipStore, ClipStore]) -> None:
    one, other = stores
    assert one.claims.take(FIRST)
    assert not other.claims.take(FIRST)
    assert one.claims.take(FIRST), "whichever of its threads asks"
    assert one.claims.holds(FIRST)
    assert not other.claims.holds(FIRST)
    assert other.claims.take(SECOND)


def test_there_is_nothing_to_claim_before_a_clip_is_complete_and_after_its_answer(
    stores: tuple[ClipStore, ClipStore],
) -> None:
    one, other = stores
    parts = cut(noise(200), 100, begin=5000)
    one.add(parts[1])
    assert not one.claims.take(parts[0].clip)
    one.add(parts[0])
    assert one.claims.take(parts[0].clip)
    one.add_transcript(parts[0].clip, HEARD)
    one.add(parts[0])
    assert not other.claims.take(parts[0].clip)
    assert one.unanswered() == [FIRST, SECOND]


def test_what_nobody_has_claimed_is_taken_at_the_first_look(stores: tuple[ClipStore, ClipStore]) -> None:
    one, other = stores
    one.claims.take(FIRST)
    assert Watch(other.claims).look() == [SECOND]
    assert Watch(one.claims).look() == [FIRST]


def test_a_receiver_that_stirs_keeps_its_clips(stores: tuple[ClipStore, ClipStore]) -> None:
    one, other = stores
    busy, watch = Watch(one.claims), Watch(other.claims)
    assert busy.look() == [FIRST, SECOND]
    for _ in range(20):
        assert watch.look() == []
        assert busy.look() == [FIRST, SECOND]


def test_the_clips_of_a_receiver_that_no_longer_stirs_are_taken_over(stores: tuple[ClipStore, ClipStore]) -> None:
    one, other = stores
    busy, watch = Watch(one.claims), Watch(other.claims)
    busy.look()
    assert [watch.look() for _ in range(3)] == [[], [], []]
    busy.look()  # it was only slow
    assert [watch.look() for _ in range(4)] == [[], [], [], [FIRST, SECOND]]
    assert busy.look() == []


def test_of_two_who_take_over_one_gets_it(stores: tuple[ClipStore, ClipStore], tmp_path: Path) -> None:
    one, other = stores
    third = ClipStore(tmp_path)
    one.claims.take(FIRST)
    (seen, _) = other.claims.all()
    assert seen == Claim(FIRST, one.claims.owner, 1)
    assert other.claims.take_over(seen)
    assert not third.claims.take_over(seen)
    third.close()


def test_whoever_was_taken_for_dead_answers_no_more(stores: tuple[ClipStore, ClipStore]) -> None:
    one, other = stores
    one.claims.take(FIRST)
    assert Watch(other.claims).look(alone=True) == [FIRST, SECOND]
    with pytest.raises(TakenOverError, match="is answered by another receiver"):
        one.add_transcript(FIRST, HEARD)
    assert one.transcript(FIRST) is None
    other.add_transcript(FIRST, HEARD)
    assert one.transcript(FIRST) == HEARD


def test_what_is_released_is_anybodys(stores: tuple[ClipStore, ClipStore]) -> None:
    one, other = stores
    one.claims.take(FIRST)
    other.claims.take(SECOND)
    one.claims.release()
    assert Watch(other.claims).look() == [FIRST, SECOND]
