"""The configuration read again: what holds at once, and what is told."""

from __future__ import annotations

import os
import queue
import signal

import numpy as np

from device.audio import Block
from device.config import DeviceSettings, load_device
from device.errors import ConfigError
from device.reload import compare, is_live, reloaded_by_signal
from tests.firmware_kit import fake_firmware, kinds, sound_of
from wakeword.frames import HOP

DEADLINE_S = 20.0


def changed(*overrides: tuple[str, str]) -> DeviceSettings:
    return load_device("echo-dot", overrides)


def test_what_can_change_changes_and_the_rest_is_named() -> None:
    wanted = changed(
        ("wake.threshold", "0.8"), ("uplink.spool_mb", "9"), ("audio.ring_ms", "9000"), ("wake.words", "[hey_jarvis]")
    )
    change = compare(changed(), wanted)
    assert change.live == ("wake.threshold", "uplink.spool_mb")
    assert change.restart == ("wake.words", "audio.ring_ms")
    assert change.settings == changed(("wake.threshold", "0.8"), ("uplink.spool_mb", "9"))
    assert compare(changed(), changed()).live == ()


def test_settings_whose_names_begin_like_live_ones_are_not_taken_for_them() -> None:
    assert is_live("capture.limit_ms")
    assert is_live("earcons")
    assert not is_live("name")
    assert not is_live("uplink.broker")
    assert not is_live("earcons_loud")
    assert not is_live("wake.engine")
    assert not is_live("keep.clip_mb")


def test_a_threshold_holds_from_the_next_hop_on_and_a_capture_goes_on() -> None:
    firmware = fake_firmware()
    firmware.hear(Block(0, sound_of(0, 30 * HOP, alexa=0.4)))
    assert firmware.adopt(firmware.settings.model_copy(update={"wake": changed(("wake.threshold", "0.3")).wake})) == []
    events = firmware.hear(Block(30 * HOP, sound_of(30 * HOP, 2 * HOP, alexa=0.4)))
    assert [event.sample for event in kinds(events, "wake")] == [31 * HOP]
    limit = firmware.settings.model_copy(update={"capture": changed(("capture.limit_ms", "2000")).capture})
    firmware.adopt(limit)
    events = firmware.hear(Block(32 * HOP, sound_of(32 * HOP, 200 * HOP, speech=1.0)))
    assert kinds(events, "capture_end")  # by the deadline that it had


def test_the_clock_is_set_between_clips_and_in_them() -> None:
    firmware = fake_firmware()
    zero = firmware.stream.utc.replace(year=2027)
    firmware.hear(Block(0, np.concatenate([sound_of(0, 20 * HOP), sound_of(20 * HOP, 2 * HOP, alexa=0.9)])))
    (event,) = firmware.set_clock(zero)
    assert event.facts == {
        "zero": "2027-01-01T00:00:00.000000Z",
        "was": "2026-01-01T00:00:00.000000Z",
        "step_s": 31_536_000.0,
    }
    ended = kinds(firmware.hear(Block(22 * HOP, sound_of(22 * HOP, 200 * HOP))), "capture_end")
    assert [str(each.facts["clip"])[:12] for each in ended] == ["dot-20260101"]  # an open clip keeps its name
    woke = firmware.hear(Block(222 * HOP, sound_of(222 * HOP, 3 * HOP, alexa=0.9)))
    (begun,) = kinds(woke, "capture_begin")
    assert str(begun.facts["clip"]).startswith("dot-20270101")
    assert kinds(woke, "part") == [] or kinds(woke, "part")[0].facts["facts"]["utc"].startswith("2027")  # type: ignore[index,call-overload,union-attr]


def test_a_signal_has_it_read_again_and_what_cannot_be_read_changes_nothing() -> None:
    taken: queue.SimpleQueue[object] = queue.SimpleQueue()
    answers: list[DeviceSettings | ConfigError] = [ConfigError("f.yaml:1: is not YAML"), changed()]

    def load() -> DeviceSettings:
        answer = answers.pop(0)
        if isinstance(answer, ConfigError):
            raise answer
        return answer

    before = signal.getsignal(signal.SIGHUP)
    with reloaded_by_signal(load, taken.put, taken.put):
        os.kill(os.getpid(), signal.SIGHUP)
        assert taken.get(timeout=DEADLINE_S) == "f.yaml:1: is not YAML"
        os.kill(os.getpid(), signal.SIGHUP)
        assert taken.get(timeout=DEADLINE_S) == changed()
    assert signal.getsignal(signal.SIGHUP) is before
