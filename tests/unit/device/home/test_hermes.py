"""What Rhasspy is told, and what it may order. Fields and topics as in its MQTT reference."""

from __future__ import annotations

import io
import json
import wave
from typing import Any

import numpy as np
import pytest

from device.audio import Block
from device.events import Event, Kind
from device.home.dialect import AwaitWord, Post
from device.home.hermes import Hermes
from device.home.settings import HermesSettings
from device.orders import Refused
from device.states import State
from tests.home_bridge_kit import CLIP, begin, posts, state, wake
from uplink.message import JSON, Directive

ON, OFF = "hermes/hotword/toggleOn", "hermes/hotword/toggleOff"
START, STOP = "hermes/asr/startListening", "hermes/asr/stopListening"


def hermes(texts: bool = False, **settings: Any) -> Hermes:
    return Hermes("dot", HermesSettings(enabled=True, **settings), texts)


def message(**facts: Any) -> bytes:
    return json.dumps({"siteId": "dot", **facts}).encode()


def samples_of(wav: bytes) -> Any:
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16_000, 2, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_a_wake_is_a_hotword_detected() -> None:
    said = posts(hermes().tell(wake()))
    assert said == {
        "hermes/hotword/alexa/detected": {
            "modelId": "alexa",
            "modelVersion": "f" * 12,
            "modelType": "universal",
            "currentSensitivity": 0.5,
            "siteId": "dot",
        }
    }
    (topic,) = posts(hermes().tell(wake("models/my word+#.onnx")))
    assert topic == "hermes/hotword/models_my_word__.onnx/detected", "one level, without wildcards"


def test_a_session_that_starts_during_a_clip_is_that_clips() -> None:
    dialect = hermes(texts=True, audio_captured=True)
    for event in (wake(), state(State.RECOGNIZING), begin()):
        dialect.tell(event)
    sound = np.arange(3000, dtype=np.int16)
    dialect.tell(Event(0, Kind.PART, {"clip": CLIP}, sound[:1000]))
    assert not dialect.obey(START, message(sessionId="s-1", sendAudioCaptured=True)), "the microphone is open"
    dialect.tell(Event(0, Kind.PART, {"clip": CLIP}, sound[1000:]))
    (captured,) = dialect.tell(Event(0, Kind.CAPTURE_END, {"clip": CLIP, "reason": "silence"}))
    assert captured.topic == "rhasspy/asr/dot/s-1/audioCaptured"
    np.testing.assert_array_equal(samples_of(captured.payload), sound)
    words: list[JSON] = [["what", 0, 9, 0.5], ["time", 9, 12, 1.0], ["x", 12, 13, None]]
    said = posts(dialect.tell(Event(0, "transcript", {"clip": CLIP, "text": "what time", "words": words})))
    assert said["hermes/asr/textCaptured"] == {
        "text": "what time",
        "likelihood": 0.75,
        "seconds": 0.0,
        "siteId": "dot",
        "sessionId": "s-1",
        "wakewordId": "alexa",
    }


@pytest.mark.parametrize("before", [1, 2, 3])
def test_an_answer_may_come_between_any_two_events_of_a_wake(before: int) -> None:
    dialect, events = hermes(audio_captured=True), [wake(), state(State.RECOGNIZING), begin()]
    for event in events[:before]:
        dialect.tell(event)
    assert not dialect.obey(START, message(sessionId="s", sendAudioCaptured=True))
    for event in [*events[before:], Event(0, Kind.PART, {"clip": CLIP}, np.ones(9, np.int16))]:
        dialect.tell(event)
    assert dialect.tell(Event(0, Kind.CAPTURE_END, {"clip": CLIP, "reason": "silence"}))


def test_sound_is_published_only_where_session_and_settings_ask_for_it() -> None:
    for settings, wanted in (({}, None), ({"audio_captured": True}, False), ({"audio_captured": True}, None)):
        dialect = hermes(**settings)
        assert (Kind.PART in dialect.kinds) == bool(settings)
        assert "transcript" not in dialect.kinds
        dialect.tell(state(State.RECOGNIZING))
        dialect.tell(begin())
        if wanted is not None:
            dialect.obey(START, message(sessionId="s", sendAudioCaptured=wanted))
        dialect.tell(Event(0, Kind.PART, {"clip": CLIP}, np.ones(9, np.int16)))
        assert not dialect.tell(Event(0, Kind.CAPTURE_END, {"clip": CLIP, "reason": "silence"}))
    dialect = hermes()
    dialect.tell(state(State.RECOGNIZING))
    with pytest.raises(Refused, match=r"home\.hermes\.audio_captured"):
        dialect.obey(START, message(sendAudioCaptured=True))


def test_the_microphone_opens_without_a_wake_word_only_where_that_is_allowed() -> None:
    with pytest.raises(Refused, match=r"home\.hermes\.listen"):
        hermes().obey(START, message(sessionId="s"))
    dialect = hermes(listen=True)
    assert dialect.obey(START, message(sessionId="s")) == (Directive("ExpectSpeech"),)
    dialect.tell(state(State.EXPECTING_SPEECH))
    assert dialect.obey(STOP, message(sessionId="s")) == (Directive("TurnEnd"),)


def test_stop_listening_ends_the_clip_of_its_own_session() -> None:
    dialect = hermes()
    dialect.tell(state(State.RECOGNIZING))
    dialect.tell(begin())
    dialect.obey(START, message(sessionId="s"))
    assert not dialect.obey(STOP, message(sessionId="another"))
    assert dialect.obey(STOP, message(sessionId="s")) == (Directive("StopCapture"),)
    dialect.tell(state(State.IDLE))
    assert not dialect.obey(STOP, message(sessionId="s"))


def test_the_wake_word_is_off_as_long_as_there_is_a_reason() -> None:
    dialect = hermes()
    assert dialect.obey(OFF, message(reason="playAudio")) == (AwaitWord(False),)
    assert not dialect.obey(OFF, message(reason="dialogueSession"))
    assert not dialect.obey(ON, message(reason="playAudio"))
    assert dialect.obey(ON, message(reason="dialogueSession")) == (AwaitWord(True),)
    dialect.obey(OFF, message(reason="ttsSay"))
    assert dialect.obey(ON, message()) == (AwaitWord(True),), "no reason overrides all"
    dialect.obey(OFF, message())
    assert dialect.part() == (AwaitWord(True),), "nobody is left who would switch it on"
    assert not dialect.part()


def test_what_is_for_another_site_is_nothing_to_this_one() -> None:
    for topic in (ON, OFF, START, STOP):
        assert not hermes().obey(topic, b'{"siteId": "kitchen"}')
        assert not hermes().obey(topic, b"{}"), "without a site it is for the site default"
    assert hermes(site="default").obey(OFF, b"{}") == (AwaitWord(False),)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (START, b""),
        (START, b"\xff\xfe"),
        (START, b"[" * 4000),
        (START, b"[1]"),
        (START, b'{"siteId": "dot", "sessionId": "' + b"a" * 5000 + b'"}'),
        (START, message(sessionId="a/b")),
        (START, message(sessionId="#")),
        (START, message(sessionId=7)),
        (OFF, message(reason="because")),
        (OFF, message(reason=["playAudio"])),
        (ON, message(reason=None)),
    ],
)
def test_what_makes_no_sense_is_refused(topic: str, payload: bytes) -> None:
    with pytest.raises(Refused):
        hermes(listen=True).obey(topic, payload)


def test_all_that_is_heard_is_published_only_where_that_is_asked_for() -> None:
    assert not hermes().hears
    dialect = hermes(audio_frames=True)
    assert dialect.hears
    sound = np.arange(16_000, dtype=np.int16)
    frames: list[Post] = []
    for at in range(0, len(sound), 320):
        frames += dialect.hear(Block(at, sound[at : at + 320]))
    assert {(frame.topic, frame.qos, frame.retained) for frame in frames} == {
        ("hermes/audioServer/dot/audioFrame", 0, False)
    }
    whole = np.concatenate([samples_of(frame.payload) for frame in frames])
    np.testing.assert_array_equal(whole, sound[: len(whole)])
    assert len(sound) - len(whole) < 1334, "no more than a frame is held back"
