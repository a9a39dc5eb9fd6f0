"""The firmware alive: what the source, the far end and other threads do to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from device.audio import ArraySource, Block
from device.errors import DeviceError
from device.events import Event
from device.rundir import RunDirectory
from device.runtime import Runtime, is_news
from tests.firmware_kit import (
    STREAM,
    WORDS,
    Sound,
    fake_firmware,
    kinds,
    number,
    sound_of,
)
from uplink.message import Directive
from wakeword.frames import HOP
from wakeword.sound import read_sound

DEADLINE_S = 20.0


def said(*pieces: tuple[int, float, float]) -> Sound:
    """So many hops each, with this score and this probability of speech."""
    sounds, clock = [], 0
    for count, alexa, speech in pieces:
        sounds.append(sound_of(clock, count * HOP, alexa=alexa, speech=speech))
        clock += count * HOP
    return np.concatenate(sounds)


TURN = said((20, 0, 0), (1, 0.9, 0), (10, 0, 1), (80, 0, 0))
"""A wake word, something said, then silence for longer than the device thinks."""


class Scripted:
    """Blocks of one hop; `before[k]` is called before block k is given."""

    name = "script"

    def __init__(self, sound: Sound, before: dict[int, Callable[[], None]]) -> None:
        self._sound, self._before = sound, before
        self.closed = threading.Event()

    def blocks(self) -> Iterator[Block]:
        for k in range(len(self._sound) // HOP):
            self._before.get(k, lambda: None)()
            if self.closed.is_set():
                return
            yield Block(k * HOP, self._sound[k * HOP : (k + 1) * HOP])

    def close(self) -> None:
        self.closed.set()


def states(events: list[Event]) -> list[object]:
    return [event.facts["to"] for event in kinds(events, "state")]


def breaks() -> None:
    raise DeviceError("the microphone is gone; plug it in again")


def test_a_source_that_breaks_leaves_a_closed_clip() -> None:
    events: list[Event] = []
    runtime = Runtime(fake_firmware(), Scripted(TURN, {25: breaks}), [events.append])
    with pytest.raises(DeviceError, match="the microphone is gone"):
        runtime.run()
    (end,) = kinds(events, "capture_end")
    assert (end.facts["reason"], end.facts["end"]) == ("interrupted", 25 * HOP)
    assert kinds(events, "part")[-1].facts["last"]


def test_it_is_stopped_from_another_thread() -> None:
    events: list[Event] = []
    source = Scripted(TURN, {})
    source._before[25] = lambda: _wait(source.closed)  # as a microphone from which nothing comes
    capturing = threading.Event()

    def note(event: Event) -> None:
        events.append(event)
        if event.kind == "capture_begin":
            capturing.set()

    runtime = Runtime(fake_firmware(), source, [note])
    running = threading.Thread(target=runtime.run)
    running.start()
    _wait(capturing)
    runtime.stop()
    running.join(DEADLINE_S)
    assert not running.is_alive()
    assert runtime.stopped
    assert [event.facts["reason"] for event in kinds(events, "capture_end")] == ["interrupted"]


def _wait(event: threading.Event) -> None:
    assert event.wait(DEADLINE_S)


def test_what_is_posted_is_obeyed_before_the_next_block() -> None:
    events: list[Event] = []
    before: dict[int, Callable[[], None]] = {25: lambda: runtime.post(Directive("StopCapture"))}
    runtime = Runtime(fake_firmware(), Scripted(TURN, before), [events.append])
    runtime.run()
    (end,) = kinds(events, "capture_end")
    assert (end.facts["reason"], end.sample) == ("stop_capture", 25 * HOP)


def test_what_is_posted_at_the_very_end_is_obeyed_too() -> None:
    events: list[Event] = []
    source = ArraySource(TURN[: 26 * HOP])
    runtime = Runtime(fake_firmware(), source, [events.append])

    def on_last_block(block: Block) -> None:
        if block.end == 26 * HOP:
            runtime.post(Directive("SetMute", None, {"muted": True}))

    runtime._on_block = on_last_block
    runtime.run()
    assert [event.facts["reason"] for event in kinds(events, "capture_end")] == ["muted"]


class TestFastPace:
    """The stream is held while the far end thinks."""

    def test_the_answer_comes_as_if_at_once(self) -> None:
        events: list[Event] = []
        far_end: list[threading.Timer] = []

        def answer(event: Event) -> None:
            events.append(event)
            if event.kind == "capture_end":
                end = Directive("TurnEnd", str(event.facts["clip"]))
                far_end.append(threading.Timer(0.05, runtime.post, [end]))
                far_end[-1].start()

        runtime = Runtime(fake_firmware(), ArraySource(TURN), [answer], pace="fast")
        runtime.run()
        busy, idle = kinds(events, "state")[-2:]
        assert (busy.facts["to"], idle.facts["cause"]) == ("BUSY", "done")
        assert idle.sample == busy.sample

    def test_a_far_end_that_is_away_is_waited_for_once_a_turn(self) -> None:
        events: list[Event] = []
        runtime = Runtime(
            fake_firmware(), ArraySource(np.concatenate((TURN, TURN))), [events.append], pace="fast", answer_s=0.1
        )
        began = time.monotonic()
        runtime.run()
        took = time.monotonic() - began
        assert 0.2 <= took < 3.0, "two turns, two waits: of 60 blocks each that pass in BUSY"
        assert states(events) == ["RECOGNIZING", "BUSY", "IDLE"] * 2
        assert len(kinds(events, "thinking_timed_out")) == 2

    def test_stopping_ends_the_wait(self) -> None:
        events: list[Event] = []

        def stop(event: Event) -> None:
            events.append(event)
            if event.kind == "state" and event.facts["to"] == "BUSY":
                threading.Timer(0.05, runtime.stop).start()

        runtime = Runtime(fake_firmware(), ArraySource(TURN), [stop], pace="fast", answer_s=3600)
        runtime.run()
        assert states(events) == ["RECOGNIZING", "BUSY"]

    def test_at_real_pace_nothing_is_held(self) -> None:
        events: list[Event] = []
        Runtime(fake_firmware(), Scripted(TURN, {}), [events.append], answer_s=3600).run()
        assert states(events) == ["RECOGNIZING", "BUSY", "IDLE"]


def test_events_of_others_stand_at_the_clock_and_come_one_at_a_time() -> None:
    inside, most = 0, 0
    events: list[Event] = []

    def note(event: Event) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        events.append(event)
        inside -= 1

    runtime = Runtime(fake_firmware(), ArraySource(TURN), [note])

    def tell() -> None:
        for n in range(200):
            runtime.tell("receipt", {"n": n})

    tellers = [threading.Thread(target=tell) for _ in range(3)]
    for teller in tellers:
        teller.start()
    runtime.run()
    for teller in tellers:
        teller.join(DEADLINE_S)
    assert most == 1
    assert len(kinds(events, "receipt")) == 600
    assert all(0 <= event.sample <= len(TURN) for event in kinds(events, "receipt"))


def test_hops_and_parts_are_no_news() -> None:
    events: list[Event] = []
    Runtime(fake_firmware(), ArraySource(TURN), [events.append]).run()
    assert {str(event.kind) for event in events if not is_news(event)} == {"hop", "part"}


def contains(sound: Sound, pattern: Sound) -> bool:
    return pattern.astype("<i2").tobytes() in sound.astype("<i2").tobytes()


def test_sound_heard_while_muted_is_nowhere(tmp_path: Path) -> None:
    secret = (-5 - np.arange(100) ** 2 % 1999).astype(np.int16)
    sound = said((20, 0, 0), (1, 0.9, 0), (10, 0, 1), (10, 0.9, 1), (20, 0, 0), (1, 0.9, 0), (20, 0, 1))
    for k in (31, 35, 40):  # in the muted stretch, which a wake word and speech fill
        sound[k * HOP + 50 : k * HOP + 150] = secret
    events: list[Event] = []
    orders: dict[int, Callable[[], None]] = {
        31: lambda: runtime.post(Directive("SetMute", None, {"muted": True})),
        41: lambda: runtime.post(Directive("SetMute", None, {"muted": False})),
    }

    def record_of(folder: Path) -> RunDirectory:
        return RunDirectory(folder, STREAM, WORDS, keep_audio=True)

    record = record_of(tmp_path / "muted")
    runtime = Runtime(fake_firmware(), Scripted(sound, orders), [record.note, events.append], on_block=record.hear)
    runtime.run()
    record.close({})
    assert [event.facts["muted"] for event in kinds(events, "mute")] == [True, False]
    assert len(kinds(events, "capture_end")) == 2, "one before, one after"
    assert not any(contains(event.audio, secret) for event in events if event.audio is not None)
    files = [path for path in (tmp_path / "muted").rglob("*") if path.is_file()]
    assert not any(secret.astype("<i2").tobytes() in path.read_bytes() for path in files)
    sounds = [path for path in files if path.suffix == ".flac"]
    assert len(sounds) == 3
    assert not any(contains(read_sound(path), secret) for path in sounds)
    home = read_sound(tmp_path / "muted" / "home.flac")
    assert not home[31 * HOP : 41 * HOP].any()
    np.testing.assert_array_equal(home[41 * HOP :], sound[41 * HOP :])
    assert not kinds([event for event in events if 31 * HOP < event.sample <= 41 * HOP], "hop", "wake", "near_miss")

    # That it is looked for in the right way: unmuted, it is found.
    open_record, heard = record_of(tmp_path / "open"), list[Event]()
    Runtime(fake_firmware(), Scripted(sound, {}), [open_record.note, heard.append], on_block=open_record.hear).run()
    open_record.close({})
    assert contains(read_sound(tmp_path / "open" / "home.flac"), secret)
    assert any(contains(event.audio, secret) for event in heard if event.audio is not None)
    assert sum(number(event, "parts") for event in kinds(heard, "capture_end")) == len(kinds(heard, "part"))
