"""The sound of all measurements: the shipped kitchen, in which nobody says the wake word and the device wakes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from device.audio import Block
from device.config import DeviceSettings, load_device
from device.events import Event, Kind, Stream
from device.firmware import Firmware
from sim.home.overhear import overhear
from sim.scenario import load_scenario
from wakeword.frames import HOP
from wakeword.scorer import ScorerGroup, load_scorers
from wakeword.sound import RATE, Samples
from wakeword.vad import VoiceActivity

_LEAD = 2 * RATE // HOP * HOP
"""Sound before a wake that is enough for the same wake: the detector looks back over 2 s."""

_UTC = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def kitchen() -> Samples:
    """The mixture once, int16[n], in whole hops."""
    sound = overhear(load_scenario("kitchen-unacceptable")).samples
    return sound[: len(sound) // HOP * HOP]


def repeated(seconds: int) -> Samples:
    """The mixture over and over, int16[n], in whole hops."""
    return np.resize(kitchen(), seconds * RATE // HOP * HOP)


def hops(sound: Samples) -> list[Samples]:
    """int16[k * 1280] -> k hops."""
    return list(sound.reshape(-1, HOP))


def new_firmware(scorers: ScorerGroup, *overrides: tuple[str, str]) -> Firmware:
    """A device that has heard nothing yet."""
    scorers.reset()
    settings = load_device(overrides=overrides)
    return Firmware(settings, new_stream(settings), scorers, VoiceActivity())


def new_stream(settings: DeviceSettings, number: int = 0) -> Stream:
    """A stream of its own for each number."""
    return Stream(settings.name, _UTC + timedelta(minutes=number))


def hear(firmware: Firmware, sound: Samples) -> list[Event]:
    """Let the device hear int16[k * 1280] hop by hop; gives its events."""
    return [event for hop in hops(sound) for event in firmware.hear(Block(firmware.clock, hop))]


@dataclass(frozen=True)
class Scene:
    """A stretch of the kitchen with one wake and its capture; indices count from its own beginning."""

    sound: Samples
    wake: int
    """End of the hop that wakes."""
    capture_end: int


@cache
def scene() -> Scene:
    """The first wake of the kitchen, as the real firmware hears it."""
    scorers = load_scorers(["alexa"])
    begin = _first(hear(new_firmware(scorers), kitchen()), Kind.WAKE) - _LEAD
    events = hear(new_firmware(scorers), kitchen()[begin:])
    wake, end = _first(events, Kind.WAKE), _first(events, Kind.CAPTURE_END)
    sound = kitchen()[begin:]
    return Scene(sound[: end + 2 * HOP], wake, end)


def _first(events: list[Event], kind: Kind) -> int:
    return next(event.sample for event in events if event.kind == kind)
