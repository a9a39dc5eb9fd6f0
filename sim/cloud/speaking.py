"""A turn as directives: what the device is to say, in its own voice, and whether it then listens."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from sim.cloud.turn import Turn
from sim.errors import VoiceError
from sim.speech.library import load_lines
from uplink.message import JSON, Directive
from wakeword.sound import Samples, encode_flac

LARGEST = 64 * 1024
"""Bytes of FLAC in a directive: as base64 they stay well below the 128 KiB of a message. About three seconds."""


class DeviceVoice:
    """Gives the sound of a text in one voice: shipped, kept from earlier, or rendered."""

    def __init__(self, voice: str, text_alone: bool = False, load: Callable[[str, str], Samples] | None = None) -> None:
        """Take ``engine:name``. With `text_alone`, what cannot be spoken is sent without sound, as a live far end does.

        load: gives int16[n] for a voice and a text; none looks in `sim.speech.library`.
        """
        self._voice, self._text_alone = voice, text_alone
        self._load = load or (lambda voice, text: load_lines([(voice, text)])[voice, text])
        self._sounds: dict[str, bytes | None] = {}

    def flac(self, text: str) -> bytes | None:
        """The sound of a text as FLAC, None where only the text can be given; raises VoiceError, SpeechError."""
        if text not in self._sounds:
            self._sounds[text] = self._spoken(text)
        return self._sounds[text]

    def _spoken(self, text: str) -> bytes | None:
        try:
            sound = encode_flac(self._load(self._voice, text))
            if len(sound) > LARGEST:
                raise VoiceError(
                    f"the prompt {text!r} is {len(sound)} bytes of FLAC, more than {LARGEST}; give it fewer words"
                )
        except VoiceError:
            if not self._text_alone:
                raise
            return None
        return sound


def directives(turn: Turn, clip: str, voice: DeviceVoice, due: int | None = None) -> tuple[Directive, ...]:
    """What a device is to do after a turn, in this order; `due` is the sample of its stream from which on.

    Raises VoiceError where a prompt must be spoken and cannot be.
    """
    when: Mapping[str, JSON] = {} if due is None else {"due": due}
    found: list[Directive] = []
    if turn.says:
        sound = voice.flac(turn.says)
        audio: Mapping[str, JSON] = {} if sound is None else {"audio": base64.b64encode(sound).decode()}
        found.append(Directive("Speak", clip, {"text": turn.says, **audio, **when}))
    if turn.expect_ms is None:
        found.append(Directive("TurnEnd", clip, when))
    else:
        found.append(Directive("ExpectSpeech", clip, {"timeout_ms": turn.expect_ms, **when}))
    return tuple(found)
