"""Words really spoken by flite, really heard by PocketSphinx, and what the far end takes them for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sim.cloud.recognizer import Recognizer, load_recognizer
from sim.cloud.turn import Heard, Situation, Turn
from sim.speech.voices import Voice, render
from tests.dialog_kit import AT, DEVICE, dialog, facts

PROFILES = ("2018", "2019", "strict")


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return load_recognizer("pocketsphinx")


@pytest.fixture
def hear(needs: Callable[[str], str], recognizer: Recognizer) -> Callable[[str, str], Heard]:
    needs("flite")

    def listen(voice: str, text: str) -> Heard:
        said = render(Voice.parse(f"flite:{voice}"), text)
        clip = np.concatenate([np.zeros(4_000, np.int16), said, np.zeros(8_000, np.int16)])
        return Heard("dot-0", DEVICE, AT, len(clip), recognizer.transcribe(clip), "expect_speech", "dot-9")

    return listen


def take(profile: str, heard: Heard, situation: Situation | None = None) -> Turn:
    """Take a clip for a request, or for the reply that a situation waits for."""
    if situation is None:
        request = Heard(heard.clip, heard.device, heard.at, heard.samples, heard.transcript)
        return dialog(profile).take(Situation(), request)
    return dialog(profile).take(situation, heard)


@pytest.mark.parametrize(
    ("voice", "text", "intents"),
    [
        ("slt", "What time is it?", ["time"] * 3),
        ("rms", "Set a timer for five minutes.", ["timer"] * 3),
        ("slt", "Set the volume to seven.", ["volume", "volume", "none"]),  # "said the valiant to seven"
        ("slt", "Cancel.", ["cancel", "cancel", "none"]),  # "can sell"
        ("awb", "Delete what I just said.", ["none", "delete_last", "delete_last"]),  # "delete what i'd just said"
        ("rms", "So I sent a message to him about the floors.", ["send_message", "send_message", "none"]),
        ("slt", "Frank had his floors done last winter.", ["none"] * 3),
    ],
)
def test_requests(hear: Callable[[str, str], Heard], voice: str, text: str, intents: list[str]) -> None:
    heard = hear(voice, text)
    found = [facts(take(profile, heard), "intent")[0]["intent"] for profile in PROFILES]
    assert found == intents, heard.transcript.text


def test_the_chain_of_oregon_but_for_the_wake(hear: Callable[[str, str], Heard]) -> None:
    """A conversation about floors, taken for a request, a name, a confirmation and a message."""
    turns: list[Turn] = []
    for text in (
        "So I sent a message to him about the floors.",
        "Frank had his floors done last winter.",
        "Right, he went with the oak.",
        "And the glue has to be flexible.",
    ):
        situation = turns[-1].situation.to(clip="dot-9") if turns else None
        turns.append(take("2018", hear("rms", text), situation))
    assert [turn.says for turn in turns] == ["To whom?", "Frank, right?", "", ""]
    assert turns[-1].message is not None
    assert turns[-1].message.to == "Frank"
