"""What deletions do to a store, whatever its database and its files are: run on each kind by the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from sim.cloud import outbox
from sim.cloud.database import Database
from sim.cloud.deletion import Deleted, is_deleted
from sim.cloud.files import Files
from sim.cloud.order import order_of
from sim.cloud.outbox import Outbox
from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript, Word
from sim.cloud.turn import Body, Deletion, Message, Reach, Situation, Took
from sim.errors import StoreError
from tests.uplink_kit import cut, noise
from uplink.message import JSON, Part

SAMPLES = noise(2_000)
ALL: tuple[Reach, ...] = ("audio", "transcripts", "messages")
HOME = timezone(timedelta(hours=-7))
UTC_0 = "2018-05-25T00:00:00Z"
"""Sample 0: five in the afternoon of the 24th at home, so midnight there is seven hours away."""
HOUR = 3600 * 16_000
EVENING = datetime(2018, 5, 24, 20, tzinfo=HOME)


@dataclass
class Place:
    """A store, and the parts of which it is made."""

    store: ClipStore
    database: Database
    files: Files

    @property
    def outbox(self) -> Outbox:
        return self.store.outbox

    def clip(self, begin: int, device: str = "dot", initiator: str = "wakeword", **more: JSON) -> str:
        """Store and answer a clip, and give its id."""
        parts = clip_parts(begin, device, initiator, **more)
        for part in parts:
            self.store.add(part)
        heard = Transcript.of((Word("hello", 0, 2_000, 0.9),), "test")
        self.store.add_transcript(parts[0].clip, heard)
        return parts[0].clip

    def message(self, clip: str, device: str = "dot") -> Message:
        body = Body(clip=clip, begin=500, end=1_500, text="hello")
        because = (Took(step="body", clip=clip, heard="hello", taken_for="the message"),)
        sent = Message(f"{clip}-message", "Frank", body, because)
        self.outbox.keep_sound(device, sent, SAMPLES)
        with self.database.writing() as session:
            outbox.put(session, device, sent)
        return sent

    def delete(self, deletion: Deletion, devices: tuple[str, ...] = ()) -> Deleted:
        return self.store.deletions.give(order_of(deletion, devices))

    def sounds(self, clip: str) -> list[str]:
        """The files there are of a clip."""
        self.files._fs.invalidate_cache()
        return sorted(name for name in self.files._fs.find(self.files._base) if f"/{clip}/" in name)


def clip_parts(begin: int, device: str = "dot", initiator: str = "wakeword", **more: JSON) -> list[Part]:
    first, *rest = cut(SAMPLES, 1_000, device=device, begin=begin)
    facts: Mapping[str, JSON] = {"initiator": initiator, "utc": UTC_0, **more}
    return [replace(first, facts=facts), *rest]


def last(clip: str, reaches: tuple[Reach, ...] = ALL) -> Deletion:
    return Deletion(clip, "dot", "last", EVENING, reaches)


def today(clip: str, reaches: tuple[Reach, ...] = ALL) -> Deletion:
    return Deletion(clip, "dot", "today", EVENING, reaches)


def what_i_just_said_is_the_turn_before(place: Place) -> None:
    other = place.clip(HOUR)
    request = place.clip(2 * HOUR)
    name = place.clip(2 * HOUR + 50_000, initiator="expect_speech", answers=request)
    body = place.clip(2 * HOUR + 90_000, initiator="expect_speech", answers=name)
    sent = place.message(body)
    asked = place.clip(3 * HOUR)
    deleted = place.delete(last(asked))
    gone = [request, name, body, asked]
    assert [clip for _, clip in deleted.clips] == gone
    assert dict(deleted.fact().facts) == {
        "clip": asked,
        "clips": gone,
        "what": ["audio", "transcript", "messages"],
        "kept": [],
    }
    assert [(each.device, each.directive.name, each.directive.clip) for each in deleted.directives()] == [
        ("dot", "DeleteClip", clip) for clip in gone
    ]
    assert [clip.id for clip in place.store.clips()] == [other]
    assert all(place.store.transcript(clip) is None for clip in gone)
    assert place.outbox.all() == []
    with pytest.raises(StoreError, match="it was never sent, or it was deleted"):
        place.outbox.sound(sent.id)
    assert [place.sounds(clip) for clip in gone] == [[]] * 4
    np.testing.assert_array_equal(place.store.audio(other), SAMPLES)


def today_ends_at_midnight_at_home(place: Place) -> None:
    yesterday = place.clip(0, utc="2018-05-24T06:59:00Z")
    before = place.clip(HOUR)
    asked = place.clip(3 * HOUR)
    tomorrow = place.clip(7 * HOUR)
    elsewhere = place.clip(2 * HOUR, device="lamp")
    assert [clip for _, clip in place.delete(today(asked)).clips] == [before, asked]
    assert {clip.id for clip in place.store.clips()} == {yesterday, tomorrow, elsewhere}
    both = place.delete(today(asked), ("dot", "lamp"))
    assert both.clips == (("lamp", elsewhere),)


def what_the_profile_does_not_reach_stays(place: Place) -> None:
    clip = place.clip(HOUR)
    sent = place.message(clip)
    deleted = place.delete(today(clip, ("audio",)))
    assert (deleted.what, deleted.kept) == (("audio",), ("transcript", "messages"))
    assert place.store.transcript(clip) is not None
    assert [each.message for each in place.outbox.all()] == [sent]
    np.testing.assert_array_equal(place.outbox.sound(sent.id), SAMPLES[500:1_500])
    assert all("/messages/" in name for name in place.sounds(clip))
    # More may be asked for later, and then that goes too.
    again = place.delete(today(clip, ALL))
    assert again.kept == ()
    assert place.store.clips() == []
    assert place.sounds(clip) == []
    # Without the sound, transcripts alone.
    other = place.clip(4 * HOUR)
    only = place.delete(Deletion(other, "dot", "last", EVENING, ("transcripts",)))
    assert (only.what, only.directives()) == (("transcript",), ())
    assert place.store.transcript(other) is None
    np.testing.assert_array_equal(place.store.audio(other), SAMPLES)


def the_same_again_changes_nothing(place: Place) -> None:
    clip = place.clip(HOUR)
    once = place.delete(today(clip))
    assert once.clips == (("dot", clip),)
    places = place.store.deletions.places(once.id)
    assert place.delete(today(clip)) == once
    assert place.store.deletions.places(once.id) == places
    assert place.store.deletions.resume() == 0
    with place.database.reading() as session:
        assert is_deleted(session, clip)
        assert is_deleted(session, clip, "messages")
        assert not is_deleted(session, "dot-other")


def a_crash_before_the_files_went_is_made_good(place: Place) -> None:
    clip = place.clip(HOUR)
    place.message(clip)
    with place.database.writing() as session:
        order = place.store.deletions.begin(session, order_of(today(clip))).id
    assert len(place.sounds(clip)) == 3
    assert {each.place: each.state for each in place.store.deletions.places(order)}["audio"] == "waiting"
    assert place.store.deletions.resume() == 1
    assert place.sounds(clip) == []
    assert {each.place: each.state for each in place.store.deletions.places(order)}["audio"] == "done"


def an_open_dialog_forgets_its_words(place: Place) -> None:
    clip = place.clip(HOUR, device="lamp")
    asked = place.clip(2 * HOUR)
    because = (Took(step="intent", clip=clip, heard="sent a message", taken_for="send_message"),)
    for device, led in (("lamp", clip), ("dot", "dot-other")):
        with place.database.writing() as session:
            outbox.set_situation(session, device, Situation(step="contact", clip=led, because=because, volume=7))
    place.delete(today(asked), ("dot", "lamp"))
    assert place.outbox.situation("lamp") == Situation(volume=7)
    assert place.outbox.situation("dot").step == "contact"
    assert place.outbox.situation("nobody") == Situation()


def what_comes_late_is_receipted_and_not_kept(place: Place) -> None:
    parts = clip_parts(HOUR)
    clip = parts[0].clip
    place.store.add(parts[0])
    place.delete(today(place.clip(2 * HOUR)))
    assert [place.store.add(part) for part in (*parts, *parts)] == [True] * 4
    assert place.store.clip(clip) is None
    assert place.sounds(clip) == []
    assert clip not in place.store.unanswered()
    asked = {clip: {part.number: "0123456789abcdef" for part in parts}}
    assert place.store.stock(asked) == (asked, frozenset({clip}))
    # And where the transcript stayed.
    other = place.clip(3 * HOUR)
    place.delete(today(other, ("audio",)))
    assert [place.store.add(part) for part in clip_parts(3 * HOUR)] == [True, True]
    assert place.sounds(other) == []
    assert place.store.transcript(other) is not None
    with pytest.raises(StoreError, match="was deleted, as somebody asked"):
        place.store.audio(other)
    # Nobody else is harmed, also in one batch with it.
    mixed = [*clip_parts(HOUR), *clip_parts(4 * HOUR), *clip_parts(HOUR)]
    assert place.store.add_all(mixed) == [True, True, False, True, True, True]
    np.testing.assert_array_equal(place.store.audio(mixed[2].clip), SAMPLES)
    assert place.store.deletions.resume() == 0
    assert place.sounds(clip) == []


def adding_and_deleting_at_once_leaves_all_or_nothing(place: Place) -> None:
    with ThreadPoolExecutor(3) as pool:
        for n in range(1, 13):
            parts = clip_parts(n * 100_000)
            adding = [pool.submit(place.store.add_all, [part]) for part in parts]
            deleting = pool.submit(place.delete, Deletion(parts[0].clip, "dot", "last", EVENING, ALL))
            gone = (("dot", parts[0].clip),) == deleting.result().clips
            assert [outcome for each in adding for outcome in each.result()]
            if gone:
                place.store.deletions.resume()
                assert place.store.clip(parts[0].clip) is None
                assert place.sounds(parts[0].clip) == []
            else:
                np.testing.assert_array_equal(place.store.audio(parts[0].clip), SAMPLES)
                place.delete(replace(last(parts[0].clip), at=EVENING + timedelta(seconds=1)))


def what_was_said_before_and_comes_only_later_is_not_kept(place: Place) -> None:
    place.delete(today(place.clip(HOUR)))
    before, after = clip_parts(2 * HOUR), clip_parts(4 * HOUR)
    assert place.store.add_all([before[1], *after]) == [False, False, True]
    assert place.store.add(before[0])
    assert [clip.id for clip in place.store.clips()] == [after[0].clip]
    assert place.sounds(before[0].clip) == []
    # Where only the sound was to go, what is heard of it could stay, but nobody can hear it any more.
    place.delete(replace(today(after[0].clip, ("audio",)), at=EVENING + timedelta(hours=2)))
    late = clip_parts(4 * HOUR + 160_000)
    assert place.store.add_all(late) == [True, True]
    assert place.store.unanswered() == []


def a_clip_that_is_being_answered_is_not_answered(place: Place) -> None:
    parts = clip_parts(HOUR)
    for part in parts:
        place.store.add(part)
    clip = parts[0].clip
    assert place.store.claims.take(clip)
    place.delete(today(place.clip(2 * HOUR)))
    with pytest.raises(StoreError, match="was deleted while it was listened to"):
        place.store.add_transcript(clip, Transcript.of((), "test"))
    assert place.store.transcript(clip) is None
    assert place.store.unanswered() == []


def a_message_is_put_once(place: Place) -> None:
    clip = place.clip(HOUR)
    sent = place.message(clip)
    assert place.message(clip) == sent
    assert [(each.device, each.message) for each in place.outbox.all()] == [("dot", sent)]
    np.testing.assert_array_equal(place.outbox.sound(sent.id), SAMPLES[500:1_500])


CASES: tuple[Callable[[Place], None], ...] = (
    what_i_just_said_is_the_turn_before,
    today_ends_at_midnight_at_home,
    what_the_profile_does_not_reach_stays,
    the_same_again_changes_nothing,
    a_crash_before_the_files_went_is_made_good,
    an_open_dialog_forgets_its_words,
    what_comes_late_is_receipted_and_not_kept,
    what_was_said_before_and_comes_only_later_is_not_kept,
    a_clip_that_is_being_answered_is_not_answered,
    adding_and_deleting_at_once_leaves_all_or_nothing,
    a_message_is_put_once,
)
