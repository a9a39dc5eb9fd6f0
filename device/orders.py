"""What the far end may order, when it may, and what is refused: pure checks that turn a directive into an order."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device.states import State
from uplink.message import JSON, Directive
from wakeword.errors import SoundError
from wakeword.sound import decode_flac


class Refused(Exception):  # noqa: N818 - not an error of the device
    """A directive that is not obeyed; the text says why."""


@dataclass(frozen=True)
class StopCapture:
    """End the capture now."""


@dataclass(frozen=True)
class ExpectSpeech:
    """Open the microphone without a wake word, for so long at most; None takes the device's own time."""

    timeout_ms: int | None


@dataclass(frozen=True)
class Speak:
    """Play int16[n] at 16 kHz, which says `text`."""

    text: str
    sound: NDArray[np.int16]


@dataclass(frozen=True)
class TurnEnd:
    """Nothing more comes for this turn."""


@dataclass(frozen=True)
class SetMute:
    """Switch the microphone off or on."""

    muted: bool


@dataclass(frozen=True)
class DeleteClip:
    """Delete what the device still holds of a clip."""

    clip: str


Order = StopCapture | ExpectSpeech | Speak | TurnEnd | SetMute | DeleteClip

_LEGAL: Mapping[str, frozenset[State]] = {
    "StopCapture": frozenset({State.RECOGNIZING}),
    "ExpectSpeech": frozenset({State.IDLE, State.BUSY, State.SPEAKING}),
    "Speak": frozenset(State) - {State.RECOGNIZING},
    "TurnEnd": frozenset({State.BUSY, State.SPEAKING, State.EXPECTING_SPEECH}),
    "SetMute": frozenset(State),
    "DeleteClip": frozenset(State),
}


def check(directive: Directive, state: State, turn: str | None, muted: bool) -> Order:
    """Give the order in a directive for a device in this state and turn; raises Refused."""
    if directive.name not in ("SetMute", "DeleteClip") and directive.clip not in (None, turn):
        raise Refused("it answers another turn")
    if state not in _LEGAL[directive.name]:
        raise Refused(f"it is not for a device that is {state}")
    order = _PARSERS[directive.name](directive)
    if isinstance(order, ExpectSpeech) and muted:
        raise Refused("the microphone is muted")
    return order


def _expect_speech(directive: Directive) -> ExpectSpeech:
    timeout_ms = directive.facts.get("timeout_ms")
    if timeout_ms is None:
        return ExpectSpeech(None)
    if not isinstance(timeout_ms, int) or isinstance(timeout_ms, bool) or not 80 <= timeout_ms <= 3_600_000:
        raise Refused("its timeout_ms is not a whole number from 80 to 3,600,000")
    return ExpectSpeech(timeout_ms)


def _speak(directive: Directive) -> Speak:
    """The sound of a prompt is base64 of FLAC; none is silence of no length."""
    text, audio = str(directive.facts.get("text", "")), directive.facts.get("audio")
    if audio is None:
        return Speak(text, np.empty(0, np.int16))
    try:
        return Speak(text, decode_flac(base64.b64decode(str(audio), validate=True)))
    except (binascii.Error, ValueError, SoundError) as error:
        raise Refused(f"its audio cannot be played ({error})") from None


def _set_mute(directive: Directive) -> SetMute:
    muted: JSON = directive.facts.get("muted")
    if not isinstance(muted, bool):
        raise Refused("its muted is neither true nor false")
    return SetMute(muted)


def _delete_clip(directive: Directive) -> DeleteClip:
    if directive.clip is None:
        raise Refused("it names no clip")
    return DeleteClip(directive.clip)


_PARSERS: Mapping[str, Callable[[Directive], Order]] = {
    "StopCapture": lambda _: StopCapture(),
    "ExpectSpeech": _expect_speech,
    "Speak": _speak,
    "TurnEnd": lambda _: TurnEnd(),
    "SetMute": _set_mute,
    "DeleteClip": _delete_clip,
}
