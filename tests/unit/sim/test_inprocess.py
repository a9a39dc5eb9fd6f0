"""Device and far end without a wire: a real store, a recognizer that counts, and a firmware between fakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from device.audio import ArraySource, Block
from device.events import Event
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from sim.inprocess import run_in_process
from tests.firmware_kit import Sound, clip_of, fake_firmware, kinds, sound_of, told
from tests.uplink_kit import Counter
from uplink.message import Directive, Part, Receipt
from wakeword.frames import HOP


def said(*pieces: tuple[int, float, float]) -> Sound:
    sounds, clock = [], 0
    for count, alexa, speech in pieces:
        sounds.append(sound_of(clock, count * HOP, alexa=alexa, speech=speech))
        clock += count * HOP
    return np.concatenate(sounds)


SOUND = said((30, 0, 0), (1, 0.9, 0), (20, 0, 1), (30, 0, 0), (1, 0.9, 0), (5, 0, 1))
"""Two wakes; the sound ends in the middle of the second capture."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ClipStore]:
    store = ClipStore(tmp_path / "store")
    yield store
    store.close()


def play(cloud: Cloud, block: int = HOP) -> list[Event]:
    events: list[Event] = []
    run_in_process(fake_firmware(), ArraySource(SOUND, block=block), cloud, [events.append])
    return events


def test_every_clip_is_stored_whole_and_answered(store: ClipStore) -> None:
    events = play(Cloud(store, Counter()))
    ends = kinds(events, "capture_end")
    assert [end.facts["reason"] for end in ends] == ["silence", "interrupted"]
    for clip, end, transcript in zip(store.clips(), ends, kinds(events, "transcript"), strict=True):
        assert clip.complete
        assert clip.id == end.facts["clip"] == transcript.facts["clip"]
        np.testing.assert_array_equal(store.audio(clip.id), clip_of(events, clip.id))
        np.testing.assert_array_equal(store.audio(clip.id), SOUND[clip.begin : clip.end])
        assert transcript.facts["text"] == f"{clip.end - clip.begin} samples"
    assert [event.facts["complete"] for event in kinds(events, "receipt")].count(True) == 2


def test_a_receipt_follows_its_part_at_once_and_the_answer_what_led_to_it(store: ClipStore) -> None:
    events = play(Cloud(store, Counter()))
    names = [str(event.kind) for event in events if event.kind not in ("hop", "near_miss")]
    for k, name in enumerate(names):
        assert name != "part" or names[k + 1] == "receipt"
    end = names.index("capture_end")
    assert names[end : end + 7] == ["capture_end", "state", "light", "earcon", "transcript", "state", "light"]
    states = [event.facts["to"] for event in kinds(events, "state")]
    assert states == ["RECOGNIZING", "BUSY", "IDLE"] * 2, "the last answer is obeyed too"
    samples = [event.sample for event in events]
    assert samples == sorted(samples)


def test_the_same_sound_gives_the_same_events(store: ClipStore, tmp_path: Path) -> None:
    other = ClipStore(tmp_path / "other")
    assert told(play(Cloud(store, Counter()))) == told(play(Cloud(other, Counter())))
    other.close()


class Stopping(Cloud):
    """A far end that wants no more after the third part."""

    def receive(self, part: Part) -> list[Receipt | Directive]:
        answers = super().receive(part)
        return [*answers, Directive("StopCapture", part.clip)] if part.number == 2 else answers


def test_what_a_part_is_answered_with_is_obeyed(store: ClipStore) -> None:
    events = play(Stopping(store, Counter()))
    first = kinds(events, "capture_end")[0]
    assert (first.facts["reason"], first.facts["parts"]) == ("stop_capture", 4)
    assert store.clips()[0].complete
    assert kinds(events, "transcript")[0].facts["clip"] == first.facts["clip"]


def test_muted_sound_is_not_handed_on(store: ClipStore) -> None:
    firmware, heard = fake_firmware(), list[Block]()
    firmware.obey(Directive("SetMute", None, {"muted": True}))
    events: list[Event] = []
    run_in_process(firmware, ArraySource(SOUND), Cloud(store, Counter()), [events.append], heard.append)
    assert heard == []
    assert not kinds(events, "hop", "part")
