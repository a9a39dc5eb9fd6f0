"""The light and the mute button on gpiozero's mock pins."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from gpiozero import Device as Machine
from gpiozero.pins.mock import MockFactory
from pydantic import ValidationError

from device.errors import DeviceError
from device.events import Event, Kind
from device.home.pins import LOOKS, Pins
from device.home.settings import GpioSettings
from device.mute import Hand
from device.states import LIGHTS
from tests.home_bridge_kit import DEADLINE_S, Ordered


@pytest.fixture
def machine() -> Iterator[MockFactory]:
    """A machine whose pins are in memory."""
    before, Machine.pin_factory = Machine.pin_factory, MockFactory()
    yield Machine.pin_factory
    Machine.pin_factory.reset()
    Machine.pin_factory = before


class Seen:
    """Waits for a pin, or several, to have been as wanted."""

    def __init__(self, machine: MockFactory, *numbers: int) -> None:
        self._pins = [machine.pin(number) for number in numbers]
        self._news = threading.Condition()
        self._states: list[tuple[int, ...]] = []
        for pin in self._pins:
            self._watch(pin)

    def _watch(self, pin: Any) -> None:
        change = pin._change_state

        def changed(value: Any) -> Any:
            result = change(value)
            with self._news:
                self._states.append(tuple(int(each.state) for each in self._pins))
                self._news.notify_all()
            return result

        pin._change_state = changed

    def wait(self, *states: tuple[int, ...]) -> None:
        """These came, in this order."""

        def came() -> bool:
            rest = iter(self._states)
            return all(state in rest for state in states)

        with self._news:
            assert self._news.wait_for(came, DEADLINE_S), self._states
            self._states.clear()


def light(pins: Pins, name: str) -> None:
    pins.note(Event(0, Kind.LIGHT, {"light": name}))


def test_there_is_a_look_for_every_light() -> None:
    assert set(LOOKS) == {*LIGHTS.values(), "muted"}


def test_one_light_is_on_while_sound_leaves_the_home_and_blinks_otherwise(machine: MockFactory) -> None:
    pins, seen = Pins(GpioSettings(light_pin=17)), Seen(machine, 17)
    pins.start(Ordered())
    light(pins, "listening")
    seen.wait((1,))
    light(pins, "thinking")
    seen.wait((0,), (1,), (0,))
    light(pins, "muted")
    seen.wait((1,), (0,))
    light(pins, "off")
    light(pins, "listening")
    seen.wait((0,), (1,))
    pins.close()
    assert not machine.pin(17).state


def test_a_light_of_three_colours_is_red_while_muted(machine: MockFactory) -> None:
    pins, seen = Pins(GpioSettings(red_pin=5, green_pin=6, blue_pin=13)), Seen(machine, 5, 6, 13)
    pins.start(Ordered())
    light(pins, "listening")
    seen.wait((0, 1, 1))
    light(pins, "speaking")
    seen.wait((0, 0, 0), (0, 1, 1))
    light(pins, "muted")
    seen.wait((1, 0, 0))
    pins.close()


def test_the_button_turns_the_microphone_off_and_on(machine: MockFactory) -> None:
    pins, device = Pins(GpioSettings(mute_pin=27)), Ordered()
    pins.start(device)
    for _ in range(2):
        machine.pin(27).drive_low()
        machine.pin(27).drive_high()
    device.wait(lambda: len(device.orders) >= 2)
    assert device.orders == [(None, Hand.BUTTON)] * 2
    pins.close()


def test_a_switch_that_is_closed_at_the_start_holds_it_off(machine: MockFactory) -> None:
    pins, device = Pins(GpioSettings(mute_pin=27, mute_kind="switch")), Ordered()
    machine.pin(27).drive_low()
    pins.start(device)
    assert device.orders == [(True, Hand.BUTTON)]
    machine.pin(27).drive_high()
    device.wait(lambda: device.orders[1:] == [(False, Hand.BUTTON)])
    machine.pin(27).drive_low()
    device.wait(lambda: device.orders[2:] == [(True, Hand.BUTTON)])
    pins.close()


def test_a_pin_that_another_has_is_one_sentence_and_nothing_stays_taken(machine: MockFactory) -> None:
    first = Pins(GpioSettings(mute_pin=27))
    with pytest.raises(DeviceError, match=r"the pins of gpio cannot be had \(.*27"):
        Pins(GpioSettings(light_pin=17, mute_pin=27))
    Pins(GpioSettings(light_pin=17)).close()
    first.close()
    assert machine.pin(17)


def test_a_machine_without_pins_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "rpigpio")  # whose library is for a Pi alone
    monkeypatch.setitem(sys.modules, "RPi", None)
    with pytest.raises(DeviceError, match="the pins of gpio cannot be had"):
        Pins(GpioSettings(light_pin=17))


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(DeviceError, match=r"pip install 'misheard\[gpio\]'"):
        Pins(GpioSettings(light_pin=17))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"red_pin": 5}, "needs gpio.red_pin, gpio.green_pin and gpio.blue_pin"),
        ({"light_pin": 5, "mute_pin": 5}, "named twice"),
        ({"light_pin": 28}, "less than or equal to 27"),
    ],
)
def test_pins_that_cannot_be_are_refused(settings: dict[str, int], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        GpioSettings.model_validate(settings)
