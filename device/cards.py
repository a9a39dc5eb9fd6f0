"""Which sound card is meant, and the ways in which it may be opened: pure, and without a library."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from device.errors import DeviceError
from device.usb import UsbCard

RATES = (16_000, 48_000, 44_100)
"""Hz, as tried, with the card's own default after the first."""
FORMATS = ("int16", "int32", "float32", "int24")
"""Sample formats, as tried: mostly the sound system converts what a card of 24 bits gives; where not, we do."""

OTHERWISE = "or listen to a file with --source FILE"
LIST = "misheard mic-check --list shows them"

_ALSA_CARD = re.compile(r"\(hw:(\d+),\d+\)")


@dataclass(frozen=True)
class Card:
    """A sound card as the sound system lists it; `inputs` and `outputs` are its channels each way."""

    index: int
    name: str
    inputs: int
    outputs: int
    rate: float
    """Hz, its own default."""
    usb: UsbCard | None = None

    @classmethod
    def of(cls, device: Mapping[str, Any], sticks: Mapping[int, UsbCard]) -> Card:
        """From PortAudio's facts; ALSA's card number stands in the name."""
        name = str(device["name"])
        alsa = _ALSA_CARD.search(name)
        return cls(
            int(device["index"]),
            name,
            int(device["max_input_channels"]),
            int(device["max_output_channels"]),
            float(device["default_samplerate"]),
            sticks.get(int(alsa[1])) if alsa else None,
        )

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Card:
        """From what `facts` gave."""
        usb = UsbCard(**facts["usb"]) if facts["usb"] else None
        return cls(**{**facts, "usb": usb})

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Opening:
    """How a card is opened: Hz, channels, and the format of a sample."""

    rate: int
    channels: int
    form: str = "int16"


@dataclass(frozen=True)
class Way:
    """In or out, and how people call what is there."""

    noun: str
    channels: Callable[[Card], int]
    otherwise: str


MICROPHONE = Way("microphone", lambda card: card.inputs, OTHERWISE)
LOUDSPEAKER = Way("loudspeaker", lambda card: card.outputs, "or go without: audio.loudspeaker=off")


def choose(cards: Sequence[Card], default: int, name: str | None, way: Way = MICROPHONE) -> Card:
    """Choose by whole name, else by USB serial or port, else by part of a name, whatever the case.

    `default` is the index meant by None. Raises DeviceError that lists what there is.
    """
    noun = way.noun
    usable = [card for card in cards if way.channels(card) > 0]
    there = "; there are: " + ", ".join(_called(card) for card in usable)
    if not usable:
        raise DeviceError(f"there is no {noun}; plug one in, {way.otherwise}")
    if name is None:
        for card in usable:
            if card.index == default:
                return card
        raise DeviceError(f"the system has no default {noun}; choose one by its name{there}")
    wanted = name.casefold()
    for found in _matches(usable, wanted):
        if len(found) == 1:
            return found[0]
        if found:
            raise DeviceError(
                f"{len(found)} {noun}s are called {name!r}; choose one by its USB serial or port, or give more of the "
                f"name{there}"
            )
    raise DeviceError(f"there is no {noun} called {name!r}{there}")


def _matches(cards: Sequence[Card], wanted: str) -> Iterator[list[Card]]:
    yield [card for card in cards if card.name.casefold() == wanted]
    yield [card for card in cards if card.usb and card.usb.serial and card.usb.serial.casefold() == wanted]
    yield [card for card in cards if card.usb and card.usb.port == wanted]
    yield [card for card in cards if wanted in card.name.casefold()]


def _called(card: Card) -> str:
    """Its name, and for a stick what tells it from another of its kind."""
    if card.usb is None:
        return repr(card.name)
    serial = f"serial {card.usb.serial}, " if card.usb.serial else ""
    return f"{card.name!r} (USB {serial}port {card.usb.port})"


def openings(card: Card, channel: int | None, rates: Sequence[int] = RATES, way: Way = MICROPHONE) -> list[Opening]:
    """List the ways to try: 16 kHz first, then what the card likes; as few channels as hold the wanted one.

    `channel` None: all channels. Raises DeviceError if the card has no such channel.
    """
    most = way.channels(card)
    if channel is None:
        counts = [most]
    elif 0 <= channel < most:
        counts = sorted(count for count in {1, 2, channel + 1, most} if channel < count <= most)
    else:
        raise DeviceError(f"the {way.noun} {card.name!r} has {most} channels and no channel {channel}; the first is 0")
    tried = dict.fromkeys((rates[0], round(card.rate), *rates[1:]))
    return [Opening(rate, count, form) for form in FORMATS for rate in tried for count in counts]


def first_supported(ways: Sequence[Opening], supports: Callable[[Opening], None], refusal: type[Exception]) -> Opening:
    """Give the first way that `supports` does not refuse; raises the first refusal when there is none."""
    refusals = []
    for way in ways:
        try:
            supports(way)
        except refusal as error:
            refusals.append(error)
        else:
            return way
    raise refusals[0]
