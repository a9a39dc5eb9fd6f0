"""Rhasspy: the device as a wake word and a microphone that speak Hermes.

After Rhasspy's MQTT reference (https://rhasspy.readthedocs.io/en/latest/reference/#mqtt-api). A clip begins with the
wake word and not with ``startListening``: one that comes while a clip is under way gives it a session, and opens the
microphone only where none is and the settings allow it.
"""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from device.audio import Block
from device.events import Event, Kind
from device.home.dialect import Answer, AwaitWord, Post, decode, encode
from device.home.settings import HermesSettings
from device.orders import Refused
from device.states import State
from uplink.link import Will
from uplink.message import JSON, Directive
from wakeword.sound import RATE, Samples

_ON, _OFF = "hermes/hotword/toggleOn", "hermes/hotword/toggleOff"
_START, _STOP = "hermes/asr/startListening", "hermes/asr/stopListening"
_SESSION = re.compile(r"[A-Za-z0-9_.:-]{1,120}")
_NOT_IN_A_LEVEL = re.compile(r"[^A-Za-z0-9_.-]")
_FRAME = RATE // 12
_ANY_REASON = ""
"""Overrides all others, as the reference says."""
_REASONS = {_ANY_REASON, "dialogueSession", "playAudio", "ttsSay"}


class Hermes:
    """One device as one site."""

    topics: Sequence[str] = (_ON, _OFF, _START, _STOP)
    will: Will | None = None

    def __init__(self, name: str, settings: HermesSettings, texts: bool) -> None:
        self._settings, self._site = settings, settings.site or name
        self.hears = settings.audio_frames
        self.kinds = frozenset(
            {
                *(Kind.STATE, Kind.WAKE, Kind.CAPTURE_BEGIN, Kind.CAPTURE_END),
                *({Kind.PART} if settings.audio_captured else ()),
                *({"transcript"} if texts else ()),
            }
        )
        self._state = State.IDLE
        self._off: set[str] = set()  # the reasons for which no wake word is awaited
        self._session: str | None = None  # of the clip that is being answered, or of the one to come
        self._wanted = False  # its sound
        self._clip: str | None = None
        self._word: str | None = None
        self._sound: list[Samples] = []
        self._frame = np.empty(0, np.int16)

    def greet(self) -> Sequence[Post]:
        """Hermes knows no greeting."""
        return ()

    def tell(self, event: Event) -> Sequence[Post]:
        """Say that the wake word was heard, what was said after it, and what was understood."""
        facts: Mapping[str, Any] = event.facts
        match event.kind:
            case Kind.STATE:
                self._state = State(facts["to"])
                if self._state is State.IDLE:
                    self._session, self._wanted = None, False
            case Kind.WAKE:  # an answer may be here before the next event
                self._word, self._state = _level(facts["word"]), State.RECOGNIZING
                self._session, self._wanted = None, False
                return (self._detected(facts),)
            case Kind.CAPTURE_BEGIN:
                self._clip, self._sound = facts["clip"], []
            case Kind.PART if event.audio is not None:
                self._sound.append(event.audio)
            case Kind.CAPTURE_END:
                return self._captured()
            case "transcript" if facts["clip"] == self._clip:
                return (self._understood(facts),)
        return ()

    def hear(self, block: Block) -> Sequence[Post]:
        """Give what was heard in frames of 1/12 s, as WAV files."""
        sound, posts = np.concatenate((self._frame, block.samples)), []
        while len(sound) >= _FRAME:
            posts.append(Post(f"hermes/audioServer/{self._site}/audioFrame", _wav(sound[:_FRAME]), qos=0))
            sound = sound[_FRAME:]
        self._frame = sound
        return posts

    def obey(self, topic: str, payload: bytes) -> Sequence[Answer]:
        """Do what is for this site; raises Refused."""
        facts = decode(payload)
        if facts.get("siteId", "default") != self._site:
            return ()
        if topic in (_ON, _OFF):
            return self._toggle(topic == _ON, facts)
        session = facts.get("sessionId")
        if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
            raise Refused("its sessionId is not letters, digits and _ . : -")
        if topic == _STOP:
            return self._stop(session)
        return self._start(session, facts.get("sendAudioCaptured") is True)

    def part(self) -> Sequence[Answer]:
        """Await the wake word again: nobody is left who would say so."""
        was_off, self._off = bool(self._off), set()
        return (AwaitWord(True),) if was_off else ()

    def _toggle(self, on: bool, facts: Mapping[str, JSON]) -> Sequence[Answer]:
        reason = facts.get("reason", _ANY_REASON)
        if not isinstance(reason, str) or reason not in _REASONS:
            raise Refused("its reason is none that the reference knows")
        was_off = bool(self._off)
        if not on:
            self._off.add(reason)
        elif reason == _ANY_REASON:
            self._off.clear()
        else:
            self._off.discard(reason)
        return (AwaitWord(not self._off),) if bool(self._off) != was_off else ()

    def _start(self, session: str | None, wanted: bool) -> Sequence[Answer]:
        if wanted and not self._settings.audio_captured:
            raise Refused("it asks for the sound, which home.hermes.audio_captured does not allow")
        under_way = self._state in (State.RECOGNIZING, State.BUSY) and self._session is None
        if not under_way and not self._settings.listen:
            raise Refused("it would open the microphone, which home.hermes.listen does not allow")
        self._session, self._wanted = session, wanted
        return () if under_way else (Directive("ExpectSpeech"),)

    def _stop(self, session: str | None) -> Sequence[Answer]:
        if session != self._session:
            return ()  # of another session, or one that is over
        if self._state is State.RECOGNIZING:
            return (Directive("StopCapture"),)
        return (Directive("TurnEnd"),) if self._state is State.EXPECTING_SPEECH else ()

    def _detected(self, facts: Mapping[str, Any]) -> Post:
        detected: dict[str, JSON] = {
            "modelId": facts["word"],
            "modelVersion": str(facts["model"])[:12],
            "modelType": "universal",
            "currentSensitivity": facts["threshold"],
            "siteId": self._site,
        }
        return Post(f"hermes/hotword/{self._word}/detected", encode(detected))

    def _captured(self) -> Sequence[Post]:
        sound, self._sound = self._sound, []
        if self._session is None or not self._wanted or not sound:
            return ()
        return (Post(f"rhasspy/asr/{self._site}/{self._session}/audioCaptured", _wav(np.concatenate(sound))),)

    def _understood(self, facts: Mapping[str, Any]) -> Post:
        sure = [word[3] for word in facts.get("words", ()) if isinstance(word[3], int | float)]
        told: dict[str, JSON] = {
            "text": facts["text"],
            "likelihood": round(sum(sure) / len(sure), 4) if sure else 1.0,
            "seconds": 0.0,  # how long the recognizer took is not told
            "siteId": self._site,
            "sessionId": self._session,
            "wakewordId": self._word,
        }
        return Post("hermes/asr/textCaptured", encode(told))


def _level(word: str) -> str:
    """A wake word, which may be the path of a model, as one level of a topic."""
    return _NOT_IN_A_LEVEL.sub("_", word)[-60:] or "_"


def _wav(sound: Samples) -> bytes:
    """int16[n] as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(sound.astype("<i2").tobytes())
    return file.getvalue()
