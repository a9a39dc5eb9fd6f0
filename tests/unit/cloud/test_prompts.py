"""What the device may say, and its sound."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from sim.cloud.contacts import Contact
from sim.cloud.interaction import load_interaction
from sim.cloud.prompts import possible_prompts
from sim.cloud.settings import load_cloud
from sim.cloud.speaking import LARGEST, DeviceVoice, directives
from sim.cloud.turn import Situation, Turn
from sim.errors import VoiceError
from tests.dialog_kit import AT, CONTACTS, dialog, names, play
from tests.uplink_kit import noise
from uplink.message import MAX_MESSAGE_BYTES
from wakeword.sound import Samples, decode_flac

PROMPTS = load_interaction().prompts


def prompts(profile: str, contacts: tuple[Contact, ...] = CONTACTS, **changes: object) -> tuple[str, ...]:
    settings = load_cloud(profile)
    settings = settings.model_copy(update={"dialog": settings.dialog.model_copy(update=changes)})
    return possible_prompts(settings, PROMPTS, names(contacts), AT, timedelta(minutes=2))


def test_a_profile_has_the_prompts_that_it_may_say() -> None:
    old = prompts("2018")
    assert {"To whom?", "Frank, right?", "Anna Jones, right?", "Which Anna? Miller, or Jones?"} <= set(old)
    assert {"It's 6:42 PM.", "It's 6:43 PM.", "It's 6:44 PM.", "Volume 0.", "Volume 10."} <= set(old)
    assert not {"What's the message?", "Message sent to Frank.", "I deleted that.", ""} & set(old)
    assert {"What's the message?", "Message sent to Frank.", "I deleted that."} <= set(prompts("strict"))
    assert not [text for text in prompts("off") if "right?" in text or "whom" in text]
    assert "Sorry, I can't send messages." in prompts("off")
    assert "Frank, right?" not in prompts("2018", confirm="none")
    assert "You have no contacts." in prompts("2018", ())


@pytest.mark.parametrize("profile", ["2018", "2019", "strict", "off"])
def test_whatever_is_said_was_foreseen(profile: str) -> None:
    foreseen = {*prompts(profile), ""}
    for said in (
        ["alexa send a message", "oak", "frank", "oak", "right", "hello"],
        ["alexa send a message to anna", "oak", "jones", "no"],
        ["alexa send a message", "oak", "oak"],
        ["alexa send a message", "cancel"],
        ["alexa send a message to frank", "yes", "", "hello"],
        ["alexa what time is it", "alexa volume three", "alexa set a timer for one minute", "alexa oak floors"],
        ["alexa delete what i just said", "alexa delete everything i said today"],
    ):
        assert {turn.says for turn in play(dialog(profile), said)} <= foreseen


def voice(sound: Samples) -> DeviceVoice:
    return DeviceVoice("flite:slt", load=lambda _voice, _text: sound)


def missing(_voice: str, _text: str) -> Samples:
    raise VoiceError("the voice engine flite is not installed; install it with: apt-get install flite")


def test_a_question_is_spoken_and_then_the_microphone_is_opened() -> None:
    sound = noise(8_000)
    speak, expect = directives(Turn(Situation(), says="To whom?", expect_ms=8000), "dot-0", voice(sound), due=5)
    assert (speak.name, speak.clip, speak.facts["text"], speak.facts["due"]) == ("Speak", "dot-0", "To whom?", 5)
    np.testing.assert_array_equal(decode_flac(base64.b64decode(str(speak.facts["audio"]))), sound)
    assert (expect.name, dict(expect.facts)) == ("ExpectSpeech", {"timeout_ms": 8000, "due": 5})


def test_a_turn_that_asks_nothing_ends() -> None:
    (end,) = directives(Turn(Situation()), "dot-0", voice(noise(1)))
    assert (end.name, dict(end.facts)) == ("TurnEnd", {})
    spoken = directives(Turn(Situation(), says="Okay."), "dot-0", voice(noise(100)))
    assert [each.name for each in spoken] == ["Speak", "TurnEnd"]


def test_a_voice_that_is_not_there_is_an_error_in_a_simulation_and_text_alone_live() -> None:
    turn = Turn(Situation(), says="Okay.")
    with pytest.raises(VoiceError, match="apt-get install flite"):
        directives(turn, "dot-0", DeviceVoice("flite:slt", load=missing))
    speak, _ = directives(turn, "dot-0", DeviceVoice("flite:slt", text_alone=True, load=missing))
    assert dict(speak.facts) == {"text": "Okay."}


def test_each_prompt_is_made_once() -> None:
    asked: list[str] = []

    def load(_voice: str, text: str) -> Samples:
        asked.append(text)
        return noise(100)

    speaker = DeviceVoice("flite:slt", load=load)
    assert speaker.flac("Okay.") == speaker.flac("Okay.")
    assert asked == ["Okay."]


def test_the_largest_prompt_fits_into_a_message_and_a_larger_one_is_refused() -> None:
    sound = noise(36_000)  # what no codec can make smaller
    speak, _ = directives(Turn(Situation(), says="Okay."), "dot-0", voice(sound))
    audio = base64.b64decode(str(speak.facts["audio"]))
    assert 0.9 * LARGEST < len(audio) <= LARGEST
    assert len(str(speak.facts["audio"])) < 0.7 * MAX_MESSAGE_BYTES
    with pytest.raises(VoiceError, match="give it fewer words"):
        directives(Turn(Situation(), says="Okay."), "dot-0", voice(noise(40_000)))


def test_every_prompt_of_every_profile_fits_in_the_shipped_voice(
    needs: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("flite")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    speaker = DeviceVoice(load_cloud().voice)
    texts = {text for profile in ("2018", "2019", "strict", "off") for text in prompts(profile)}
    sizes = {text: len(speaker.flac(text) or b"") for text in sorted(texts)}
    assert min(sizes.values()) > 0
    assert max(sizes.values()) < LARGEST
