"""The transition table as a whole."""

from __future__ import annotations

from device.firmware import Firmware
from device.orders import _LEGAL
from device.states import LIGHTS, TRANSITIONS, Cause, State
from uplink.message import DIRECTIVES


def reachable(begin: State) -> set[State]:
    found, waiting = {begin}, [begin]
    while waiting:
        state = waiting.pop()
        new = {after for (before, _), after in TRANSITIONS.items() if before is state} - found
        found |= new
        waiting += new
    return found


def test_every_state_leads_back_to_idle_and_idle_to_every_state() -> None:
    assert reachable(State.IDLE) == set(State)
    assert all(State.IDLE in reachable(state) for state in State)


def test_every_state_has_an_end_by_itself_a_light_and_a_deadline() -> None:
    alone = {Cause.HEARTBEAT, Cause.END, Cause.TIMEOUT, Cause.SPOKEN}
    for state in State:
        assert any(before is state and cause in alone for before, cause in TRANSITIONS), state
    assert set(LIGHTS) == set(Firmware._expired) == set(State)


def test_every_cause_is_used() -> None:
    assert {cause for _, cause in TRANSITIONS} == set(Cause)


def test_only_a_wake_or_speech_begins_a_capture_and_never_while_the_device_is_busy() -> None:
    into = {key for key, after in TRANSITIONS.items() if after is State.RECOGNIZING}
    assert {cause for _, cause in into} == {Cause.WAKE, Cause.SPEECH}
    assert State.BUSY not in {state for state, _ in into}
    assert (State.EXPECTING_SPEECH, Cause.SPEECH) in into


def test_the_light_tells_when_sound_leaves_the_home() -> None:
    assert {state for state, light in LIGHTS.items() if light == "listening"} == {
        State.RECOGNIZING,
        State.EXPECTING_SPEECH,
    }


def test_each_directive_that_is_legal_in_a_state_has_its_way_out_of_it() -> None:
    ways = {"StopCapture": Cause.END, "Speak": Cause.SPEAK, "TurnEnd": Cause.DONE, "ExpectSpeech": Cause.EXPECT}
    for name, cause in ways.items():
        for state in _LEGAL[name]:
            later = state is State.SPEAKING and name in ("TurnEnd", "ExpectSpeech")  # after the prompt
            assert later or (state, cause) in TRANSITIONS, (name, state)
    assert set(_LEGAL) == set(DIRECTIVES)
