"""What the far end may order, and what is refused."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import orders
from device.orders import check
from device.states import State
from uplink.message import DIRECTIVES, JSON, Directive
from wakeword.sound import encode_flac

SOUND = np.arange(2000, dtype=np.int16)
FLAC = base64.b64encode(encode_flac(SOUND)).decode()


def order(name: str, state: State = State.BUSY, **facts: JSON) -> orders.Order:
    return check(Directive(name, "dot-1", facts), state, "dot-1", muted=False)


def refusal(name: str, facts: Mapping[str, JSON], state: State = State.BUSY) -> str:
    with pytest.raises(orders.Refused) as refused:
        check(Directive(name, "dot-1", facts), state, "dot-1", muted=False)
    return str(refused.value)


def test_orders_are_read() -> None:
    assert order("StopCapture", State.RECOGNIZING) == orders.StopCapture()
    assert order("ExpectSpeech") == orders.ExpectSpeech(None)
    assert order("ExpectSpeech", timeout_ms=80) == orders.ExpectSpeech(80)
    assert order("TurnEnd") == orders.TurnEnd()
    assert order("SetMute", muted=True) == orders.SetMute(muted=True)
    assert order("DeleteClip") == orders.DeleteClip("dot-1")
    spoken = order("Speak", text="Hm?", audio=FLAC)
    assert isinstance(spoken, orders.Speak)
    assert spoken.text == "Hm?"
    np.testing.assert_array_equal(spoken.sound, SOUND)


def test_a_prompt_without_sound_has_no_length() -> None:
    spoken = order("Speak", text="Hm?")
    assert isinstance(spoken, orders.Speak)
    assert len(spoken.sound) == 0


@pytest.mark.parametrize("audio", ["no base64!", "YWJj", FLAC[:-40], "ä", 5, [], True])
def test_sound_that_is_none_is_refused(audio: JSON) -> None:
    assert refusal("Speak", {"text": "Hm?", "audio": audio}).startswith("its audio cannot be played")


@pytest.mark.parametrize("timeout_ms", [79, 3_600_001, -1, 1000.0, "1000", True, [1000]])
def test_a_time_that_is_none_is_refused(timeout_ms: JSON) -> None:
    assert refusal("ExpectSpeech", {"timeout_ms": timeout_ms}) == (
        "its timeout_ms is not a whole number from 80 to 3,600,000"
    )


@pytest.mark.parametrize("muted", [None, 1, "true"])
def test_a_mute_that_is_neither_is_refused(muted: JSON) -> None:
    assert refusal("SetMute", {"muted": muted}) == "its muted is neither true nor false"


def test_a_deletion_names_its_clip() -> None:
    with pytest.raises(orders.Refused, match="it names no clip"):
        check(Directive("DeleteClip"), State.IDLE, None, muted=False)


def test_the_wrong_state_is_named() -> None:
    assert refusal("StopCapture", {}, State.BUSY) == "it is not for a device that is BUSY"


def test_a_muted_device_does_not_open_its_microphone() -> None:
    with pytest.raises(orders.Refused, match="muted"):
        check(Directive("ExpectSpeech"), State.IDLE, None, muted=True)
    assert check(Directive("Speak"), State.IDLE, None, muted=True)


@given(
    name=st.sampled_from(DIRECTIVES),
    clip=st.sampled_from([None, "dot-1", "dot-2"]),
    turn=st.sampled_from([None, "dot-1"]),
    state=st.sampled_from(State),
    muted=st.booleans(),
    facts=st.dictionaries(
        st.sampled_from(["timeout_ms", "text", "audio", "muted"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.floats(-9, 9), st.just([])),
    ),
)
def test_whatever_comes_is_an_order_or_refused(
    name: str, clip: str | None, turn: str | None, state: State, muted: bool, facts: dict[str, JSON]
) -> None:
    try:
        found = check(Directive(name, clip, facts), state, turn, muted)
    except orders.Refused:
        return
    assert type(found).__name__ == name
    assert clip in (None, turn) or name in ("SetMute", "DeleteClip")
