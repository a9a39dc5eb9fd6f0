"""All that a device has to do with its home, put together from its settings."""

from __future__ import annotations

from collections.abc import Callable

from device.audio import Block
from device.config import DeviceSettings
from device.events import Event
from device.home.bridge import Bridge, Device
from device.home.dialect import Dialect
from device.home.hermes import Hermes
from device.home.home_assistant import HomeAssistant
from device.home.pins import Pins


class Household:
    """Bridge and pins, each where the settings want it; an observer of the device until `close`."""

    def __init__(self, settings: DeviceSettings) -> None:
        """Prepare; raises ConfigError, AddressError or DeviceError for what cannot be."""
        home = settings.home
        self._bridge: Bridge | None = None
        self._pins: Pins | None = None
        if dialects := dialects_of(settings):
            self._bridge = Bridge(home.url(), settings.name, dialects, access=home.access())
        if settings.gpio.used:
            self._pins = Pins(settings.gpio)

    def beside(self, on_block: Callable[[Block], None] | None) -> Callable[[Block], None] | None:
        """Give who takes what the microphone heard: who does already, and the home where it wants to."""
        bridge = self._bridge
        if bridge is None or not bridge.hears:
            return on_block
        if on_block is None:
            return bridge.hear

        def both(block: Block) -> None:
            on_block(block)
            bridge.hear(block)

        return both

    def start(self, device: Device) -> None:
        """Begin: the device is there."""
        if self._pins is not None:
            self._pins.start(device)
        if self._bridge is not None:
            self._bridge.start(device)

    def note(self, event: Event) -> None:
        """Take an event; returns at once."""
        if self._pins is not None:
            self._pins.note(event)
        if self._bridge is not None:
            self._bridge.note(event)

    def close(self) -> None:
        """Say goodbye to the home."""
        if self._bridge is not None:
            self._bridge.close()
        if self._pins is not None:
            self._pins.close()


def dialects_of(settings: DeviceSettings) -> list[Dialect]:
    """How the device talks on the broker of its home; not at all where none is named."""
    home = settings.home
    dialects: list[Dialect] = []
    if home.broker is not None and home.home_assistant.enabled:
        dialects.append(HomeAssistant(settings.name, home.home_assistant.discovery_prefix, home.texts))
    if home.broker is not None and home.hermes.enabled:
        dialects.append(Hermes(settings.name, home.hermes, home.texts))
    return dialects
