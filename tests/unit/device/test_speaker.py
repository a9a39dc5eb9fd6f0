"""A loudspeaker whose helper plays by a script, and what the helper itself makes of PortAudio."""

from __future__ import annotations

import io
import json
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.child import Message, read
from device.events import Event, Kind
from device.playing import BEGUN, COUNT, ENDED, FOUND, PLAY, STOP, play
from device.portaudio import PortAudio
from device.speaker import Speaker
from device.stream_clock import decode, encode
from uplink.message import JSON
from wakeword.sound import RATE, Samples

FOUND_BOX: list[Any] = ["found", {"rate": RATE, "channels": 1, "form": "int16"}]
DEADLINE_S = 30.0


class Spoken:
    """A speaker with its facts, each of which can be waited for."""

    def __init__(self, folder: Path, plan: list[list[Any]]) -> None:
        script = folder / "script.json"
        script.write_text(json.dumps(plan))
        self.played = folder / "script.played"
        self.facts: queue.SimpleQueue[tuple[str, Mapping[str, JSON]]] = queue.SimpleQueue()
        command = [sys.executable, str(Path(__file__).parents[2] / "sound_helper.py"), str(script)]
        self.speaker = Speaker(None, lambda *fact: self.facts.put(fact), lambda time_s: round(time_s * RATE), command)

    def say(self, sample: int, sound: Samples) -> None:
        self.speaker.note(Event(sample, Kind.PROMPT, {"text": "To whom?", "samples": len(sound)}, sound))

    def await_starts(self, count: int) -> None:
        """Wait until so many helpers have begun."""
        until = time.monotonic() + DEADLINE_S
        file = self.played.with_suffix(".count")
        while not file.exists() or file.read_text() != str(count):
            assert time.monotonic() < until
            threading.Event().wait(0.01)

    def told(self) -> tuple[str, Mapping[str, JSON]]:
        return self.facts.get(timeout=DEADLINE_S)


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))


@pytest.fixture
def spoken(tmp_path: Path) -> Any:
    made: list[Spoken] = []

    def make(*plan: list[Any]) -> Spoken:
        made.append(Spoken(tmp_path, list(plan)))
        return made[0]

    yield make
    made[0].speaker.close()


Make = Callable[..., Spoken]
SOUND = np.arange(3200, dtype=np.int16)


def test_a_prompt_is_played_and_said_when_it_was_to_be_heard(spoken: Make) -> None:
    at = spoken([FOUND_BOX, ["play"], ["hang"]])
    at.speaker.note(Event(0, Kind.LIGHT, {"light": "off"}))
    assert at.told() == ("loudspeaker", {"name": "stick", "why": None})
    at.say(5000, SOUND)
    span = {"begin": 100 * RATE, "end": 100 * RATE + 3200}
    assert at.told() == ("prompt_played", {"prompt": 5000, **span, "whole": True})
    assert at.played.read_bytes() == SOUND.tobytes()


def test_a_prompt_that_is_interrupted_stops_and_the_next_one_follows(spoken: Make) -> None:
    at = spoken([FOUND_BOX, ["play until stopped"], ["play"], ["hang"]])
    at.say(1, SOUND)
    assert at.told()[0] == "loudspeaker"
    at.speaker.note(Event(2, Kind.PROMPT_END, {"heard_whole": False}))
    at.say(2, SOUND[::-1])
    _, facts = at.told()
    assert (facts["prompt"], facts["whole"], facts["end"]) == (1, False, 100 * RATE + 160)
    _, facts = at.told()
    assert (facts["prompt"], facts["whole"]) == (2, True)


def test_a_prompt_that_ends_by_itself_is_not_stopped(spoken: Make) -> None:
    at = spoken([FOUND_BOX, ["play until stopped"], ["hang"]])
    at.say(1, SOUND)
    assert at.told()[0] == "loudspeaker"
    at.speaker.note(Event(2, Kind.PROMPT_END, {"heard_whole": True}))
    with pytest.raises(queue.Empty):
        at.facts.get(timeout=0.5)


def test_without_a_loudspeaker_it_is_said_once_and_looked_for_again_with_each_prompt(spoken: Make) -> None:
    missing = ["error", "there is no loudspeaker"]
    at = spoken([missing], [missing], [FOUND_BOX, ["play"], ["hang"]])
    at.speaker.note(Event(0, Kind.LIGHT, {"light": "off"}))
    why = "there is no loudspeaker; the device goes on without a voice"
    assert at.told() == ("loudspeaker", {"name": None, "why": why})
    at.say(1, SOUND)
    at.await_starts(2)
    at.say(2, SOUND)
    assert at.told() == ("loudspeaker", {"name": "stick", "why": None})
    assert at.told()[1]["prompt"] == 2


def test_a_helper_that_crashes_takes_nobody_along(spoken: Make) -> None:
    at = spoken([FOUND_BOX, ["crash"]], [FOUND_BOX, ["play"], ["hang"]])
    at.speaker.note(Event(0, Kind.LIGHT, {"light": "off"}))
    assert at.told()[0] == "loudspeaker"
    kinds = []
    while "prompt_played" not in kinds:
        at.say(3, SOUND)
        kinds.append(at.told()[0])
    assert set(kinds) <= {"loudspeaker", "prompt_played"}


def test_closing_ends_a_sound_that_hangs(spoken: Make) -> None:
    at = spoken([FOUND_BOX, ["play until stopped"], ["hang"]])
    at.say(1, SOUND)
    assert at.told()[0] == "loudspeaker"
    closing = threading.Thread(target=at.speaker.close)
    closing.start()
    closing.join(DEADLINE_S)
    assert not closing.is_alive()


# ---- the helper ----


class Times:
    currentTime, outputBufferDacTime = 5.0, 5.1  # noqa: N815 - PortAudio's names


class FakeSoundDevice:
    """A loudspeaker that knows 48 kHz stereo alone, and plays in periods of 100 frames."""

    class PortAudioError(Exception):
        """As sounddevice raises it."""

    class CallbackStop(Exception):  # noqa: N818 - sounddevice's name
        """Ends a stream."""

    def __init__(self) -> None:
        self.default = type("Default", (), {"device": (-1, 0)})()
        self.heard = b""
        self.between: Callable[[], None] = lambda: None
        self.closed = 0

    def query_devices(self) -> list[dict[str, Any]]:
        return [
            {
                "name": "box",
                "index": 0,
                "max_input_channels": 0,
                "max_output_channels": 2,
                "default_samplerate": 48_000.0,
            }
        ]

    def check_output_settings(self, device: int, channels: int, samplerate: int, dtype: str) -> None:
        if (device, channels, samplerate, dtype) != (0, 2, 48_000, "int16"):
            raise self.PortAudioError("Invalid", -9997)

    def RawOutputStream(self, **settings: Any) -> FakeSoundDevice:  # noqa: N802 - sounddevice's name
        self.callback, self.finished = settings["callback"], settings["finished_callback"]
        return self

    def start(self) -> None:
        def run() -> None:
            try:
                while True:
                    data = bytearray(400)
                    self.callback(data, 100, Times, None)
                    self.heard += bytes(data)
                    self.between()
            except self.CallbackStop:
                self.finished()

        threading.Thread(target=run).start()

    def close(self) -> None:
        self.closed += 1


def played(fake: FakeSoundDevice, told: queue.SimpleQueue[Message]) -> list[Message]:
    said = io.BytesIO()
    play({"name": None, "rates": [16_000, 48_000]}, said, told, PortAudio(fake), most=1)
    said.seek(0)
    found = []
    while (message := read(said)) is not None:
        found.append(message)
    return found


def test_the_helper_plays_every_frame_and_closes_the_card() -> None:
    fake, told = FakeSoundDevice(), queue.SimpleQueue[Message]()
    frames = bytes(range(250)) * 4  # 250 frames: the last period is not full
    told.put(Message(PLAY, frames))
    found, begun, ended = played(fake, told)
    assert (found.kind, begun.kind, ended.kind) == (FOUND, BEGUN, ENDED)
    assert json.loads(found.body)["opening"] == {"rate": 48_000, "channels": 2, "form": "int16"}
    assert COUNT.unpack(ended.body) == (250,)
    assert fake.heard[: len(frames)] == frames
    silence = fake.heard[len(frames) :]  # or what is still ahead when the stream ends would be lost
    assert not any(silence)
    assert len(silence) + 400 >= 0.4 * 48_000 * 4  # the fake throws away what comes with the stop
    assert fake.closed == 1


def test_the_helper_is_silent_when_told_to() -> None:
    fake, told = FakeSoundDevice(), queue.SimpleQueue[Message]()
    told.put(Message(PLAY, bytes([1]) * 400_000))
    stopped = threading.Event()

    def between() -> None:
        if not stopped.is_set():
            stopped.set()
            told.put(Message(STOP))
        threading.Event().wait(0.005)  # a period takes its time

    fake.between = between
    (ended,) = [message for message in played(fake, told) if message.kind == ENDED]
    assert 100 <= COUNT.unpack(ended.body)[0] < 100_000


@pytest.mark.parametrize("form", ["int16", "int24", "int32", "float32"])
def test_every_format_has_a_way_back(form: str) -> None:
    sound = np.array([-32768, -1, 0, 1, 32767], np.int16)
    frames = decode(encode(sound, 2, form), 2, form)
    np.testing.assert_array_equal(frames[:, 0], frames[:, 1])
    np.testing.assert_allclose(frames[:, 0] * (1 if form == "int16" else 32_768), sound)
