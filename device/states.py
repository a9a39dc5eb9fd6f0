"""The states of the device, after the Alexa Voice Service, and every way from one to another."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What the device is doing with the person in front of it."""

    IDLE = "IDLE"
    RECOGNIZING = "RECOGNIZING"
    """Streaming to the far end."""
    BUSY = "BUSY"
    """Waiting for the far end's answer."""
    SPEAKING = "SPEAKING"
    EXPECTING_SPEECH = "EXPECTING_SPEECH"
    """The microphone is open without a wake word, because the far end asked."""


class Cause(StrEnum):
    """Why a state ends."""

    WAKE = "wake"
    SPEECH = "speech"
    """Somebody speaks while speech is expected."""
    END = "end"
    """The capture is over: silence, limit, StopCapture, or lost audio."""
    SPEAK = "speak"
    SPOKEN = "spoken"
    EXPECT = "expect"
    DONE = "done"
    """The far end has nothing more to say."""
    TIMEOUT = "timeout"
    MUTE = "mute"
    HEARTBEAT = "heartbeat"


_S, _C = State, Cause

TRANSITIONS: dict[tuple[State, Cause], State] = {
    (_S.IDLE, _C.WAKE): _S.RECOGNIZING,
    (_S.IDLE, _C.SPEAK): _S.SPEAKING,
    (_S.IDLE, _C.EXPECT): _S.EXPECTING_SPEECH,
    (_S.IDLE, _C.HEARTBEAT): _S.IDLE,
    (_S.RECOGNIZING, _C.END): _S.BUSY,
    (_S.RECOGNIZING, _C.MUTE): _S.IDLE,
    (_S.BUSY, _C.SPEAK): _S.SPEAKING,
    (_S.BUSY, _C.EXPECT): _S.EXPECTING_SPEECH,
    (_S.BUSY, _C.DONE): _S.IDLE,
    (_S.BUSY, _C.TIMEOUT): _S.IDLE,
    (_S.BUSY, _C.MUTE): _S.IDLE,
    (_S.SPEAKING, _C.WAKE): _S.RECOGNIZING,
    (_S.SPEAKING, _C.SPEAK): _S.SPEAKING,
    (_S.SPEAKING, _C.SPOKEN): _S.IDLE,
    (_S.SPEAKING, _C.EXPECT): _S.EXPECTING_SPEECH,
    (_S.EXPECTING_SPEECH, _C.SPEECH): _S.RECOGNIZING,
    (_S.EXPECTING_SPEECH, _C.WAKE): _S.RECOGNIZING,
    (_S.EXPECTING_SPEECH, _C.SPEAK): _S.SPEAKING,
    (_S.EXPECTING_SPEECH, _C.DONE): _S.IDLE,
    (_S.EXPECTING_SPEECH, _C.TIMEOUT): _S.IDLE,
    (_S.EXPECTING_SPEECH, _C.MUTE): _S.IDLE,
}
"""All of them: what is not here does not happen."""

LIGHTS: dict[State, str] = {
    State.IDLE: "off",
    State.RECOGNIZING: "listening",
    State.BUSY: "thinking",
    State.SPEAKING: "speaking",
    State.EXPECTING_SPEECH: "listening",
}
"""What the light ring shows; "muted" stands above all of these. Listening means: sound leaves the home."""
