"""A light and a mute button on the pins of a Raspberry Pi; the only file that knows gpiozero.

The light follows the attention states of the Alexa Voice Service: nobody shall be heard elsewhere without seeing it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from device.errors import DeviceError
from device.events import Event, Kind
from device.home.bridge import Device
from device.home.settings import GpioSettings
from device.mute import Hand

_BOUNCE_S = 0.05


class Look(NamedTuple):
    """How a light looks: its colour, and for how long it is on and off, in seconds; `off_s` 0: it stays."""

    colour: tuple[int, int, int]
    on_s: float = 1
    off_s: float = 0


LOOKS = {
    "off": Look((0, 0, 0)),
    "listening": Look((0, 1, 1)),
    "thinking": Look((0, 0, 1), 0.25, 0.25),
    "speaking": Look((0, 1, 1), 0.5, 0.5),
    "muted": Look((1, 0, 0)),
}
_ONE_COLOUR = {**LOOKS, "muted": Look((1, 0, 0), 0.1, 2.9)}
"""One light alone cannot be red: muted is a short flash, so that on means that sound leaves the home."""


class Pins:
    """The light and the button, until `close`. The light has a thread of its own, so that `note` returns at once."""

    def __init__(self, settings: GpioSettings) -> None:
        """Take the pins; raises DeviceError where there are none, or gpiozero is missing."""
        self._settings = settings
        self._lights: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._device: Device | None = None
        self._led: Any = None
        self._rgb: Any = None
        self._button: Any = None
        try:
            self._open()
        except BaseException:  # whatever it was: a pin that was taken is given back
            self._release()
            raise
        self._thread = threading.Thread(target=self._run, name="pins", daemon=True)

    def _open(self) -> None:
        try:
            import gpiozero
        except ImportError:
            raise DeviceError("gpiozero is not installed; pip install 'misheard[gpio]'") from None
        pins, high = self._settings, self._settings.active_high
        try:
            if pins.red_pin is not None:
                self._rgb = gpiozero.RGBLED(pins.red_pin, pins.green_pin, pins.blue_pin, active_high=high, pwm=False)
            if pins.light_pin is not None:
                self._led = gpiozero.LED(pins.light_pin, active_high=high)
            if pins.mute_pin is not None:
                self._button = gpiozero.Button(pins.mute_pin, pull_up=True, bounce_time=_BOUNCE_S)
        except (gpiozero.GPIOZeroError, OSError, ImportError, RuntimeError) as error:
            # The last two are what the libraries under gpiozero raise on a machine without pins.
            raise DeviceError(f"the pins of gpio cannot be had ({error}); name pins of this machine, or none") from None

    def start(self, device: Device) -> None:
        """Show the light, and pass the button on to the device; a closed switch holds the microphone off at once."""
        self._device = device
        self._thread.start()
        if self._button is None:
            return
        if self._settings.mute_kind == "button":
            self._button.when_pressed = lambda: device.switch(None, Hand.BUTTON)
            return
        self._button.when_pressed = lambda: device.switch(True, Hand.BUTTON)
        self._button.when_released = lambda: device.switch(False, Hand.BUTTON)
        if self._button.is_pressed:
            device.switch(True, Hand.BUTTON)

    def note(self, event: Event) -> None:
        """Take an event; returns at once."""
        if event.kind == Kind.LIGHT:
            self._lights.put(str(event.facts["light"]))

    def close(self) -> None:
        """Put the light out and give the pins back."""
        self._lights.put(None)
        if self._thread.is_alive():
            self._thread.join()
        self._release()

    def _run(self) -> None:
        while (light := self._lights.get()) is not None:
            if self._rgb is not None:
                _show(self._rgb, LOOKS[light], lambda rgb, look: setattr(rgb, "color", look.colour), on_color=True)
            if self._led is not None:
                _show(self._led, _ONE_COLOUR[light], lambda led, look: led.on() if any(look.colour) else led.off())

    def _release(self) -> None:
        for light in (self._led, self._rgb):
            if light is not None:
                light.off()
        for pin in (self._led, self._rgb, self._button):
            if pin is not None:
                pin.close()


def _show(light: Any, look: Look, steady: Callable[[Any, Look], None], *, on_color: bool = False) -> None:
    if look.off_s:
        light.blink(look.on_s, look.off_s, **({"on_color": look.colour} if on_color else {}))
    else:
        steady(light, look)
