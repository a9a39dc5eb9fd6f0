"""Who holds the microphone off, and who may switch it on again."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from device.audio import ArraySource, Block
from device.events import Event
from device.mute import Hand, switched
from device.orders import Refused
from device.runtime import Runtime
from device.states import State
from tests.firmware_kit import Scene, fake_firmware, kinds, sound_of
from wakeword.frames import HOP


@pytest.mark.parametrize(("holder", "by"), list(itertools.combinations_with_replacement(Hand, 2)))
def test_the_hand_that_holds_it_and_a_nearer_one_switch_it_on(holder: Hand, by: Hand) -> None:
    assert switched(holder, False, by) is None
    assert switched(holder, None, by) is None
    assert switched(holder, True, by) is by, "a nearer one takes over"


@pytest.mark.parametrize(("by", "holder"), list(itertools.combinations(Hand, 2)))
def test_a_farther_hand_does_not(by: Hand, holder: Hand) -> None:
    for muted in (False, None):
        with pytest.raises(Refused, match="holds the microphone off"):
            switched(holder, muted, by)
    assert switched(holder, True, by) is holder, "nor does it take over what a nearer one holds"


def test_no_far_end_undoes_a_button() -> None:
    scene = Scene()
    scene.hear(5)
    (mute, light) = scene.firmware.switch(None, Hand.BUTTON)
    assert (mute.facts, light.facts) == ({"muted": True, "by": "button"}, {"light": "muted"})
    (refused,) = scene.order("SetMute", muted=False)
    assert refused.facts["why"] == "the button on the device holds the microphone off"
    assert not kinds(scene.hear(5, alexa=0.9), "hop", "wake")
    assert kinds(scene.firmware.switch(None, Hand.BUTTON), "mute")[0].facts == {"muted": False, "by": "button"}
    assert kinds(scene.hear(5, alexa=0.9), "wake")


def test_a_word_that_is_not_awaited_is_heard_and_does_not_wake() -> None:
    scene = Scene()
    scene.firmware.await_word(False)
    (refused,) = kinds(scene.hear(1, alexa=0.9), "wake_refused")
    assert refused.facts["state"] is State.IDLE
    scene.hear(40)
    scene.firmware.await_word(True)
    assert kinds(scene.hear(1, alexa=0.9), "wake")


def test_hands_reach_a_running_device() -> None:
    """Through the runtime, before the next block, and in order."""
    events: list[Event] = []
    told: list[int] = []

    def hand(block: Block) -> None:
        told.append(block.begin)
        match block.begin // HOP:
            case 3:
                runtime.await_word(False)
            case 5:
                runtime.await_word(True)
                runtime.switch(None, Hand.BUTTON)
                runtime.switch(False, Hand.HOME)

    sound = np.concatenate([sound_of(k * HOP, HOP, alexa=0.9 * (k in (4, 7))) for k in range(10)])
    runtime = Runtime(fake_firmware(), ArraySource(sound), [events.append], on_block=hand)
    runtime.run()
    said = [(event.kind, event.sample // HOP) for event in kinds(events, "wake_refused", "mute", "directive_refused")]
    assert said == [("wake_refused", 5), ("mute", 6), ("directive_refused", 6)]
    assert told == [k * HOP for k in range(6)], "what is heard while it is off is for nobody"
