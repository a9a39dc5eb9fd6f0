"""The simulated home on one core: alone, with the firmware of one device and of four, and with the far end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

from device.audio import Block
from device.events import Stream
from device.firmware import Firmware
from sim.home.home import Home
from sim.home.overhear import overhear
from sim.play.play import rehearse
from sim.play.setup import prepare
from sim.scenario import PlacedDevice, Scenario, device_settings, load_scenario
from sim.speech.library import Speech, load_speech
from tests.bench.effort import Effort
from tests.bench.figure import Figure, Row, in_turn
from tests.bench.machine import one_core
from wakeword.frames import HOP
from wakeword.scorer import load_scorers
from wakeword.sound import RATE
from wakeword.vad import VoiceActivity

AIM = "150 or more"
"""Times real time for one device with its firmware, and no slower per device with four."""

PLACES = ((1.0, 0.4, 1.0), (3.0, 2.5, 1.0), (0.5, 2.5, 1.0), (3.5, 0.5, 1.0))


def rows(effort: Effort) -> Iterator[Row]:
    """Measure the kitchen in times of real time: seconds lived through, times devices, for a second of one core."""
    with one_core():
        contenders = {
            f"{count} {what}": _lived(count, what == "with firmware")
            for what in ("alone", "with firmware")
            for count in (1, len(PLACES))
        }
        speed = in_turn(effort.bulk, max(1, effort.warm_up), contenders)
        listened = in_turn(effort.starts, 0, {name: _played(name) for name in ("none", "pocketsphinx")})
    yield _row("the home alone, 1 device", speed["1 alone"])
    yield _row("the home alone, 4 devices, each", speed["4 alone"], "1 device", speed["1 alone"])
    yield _row("home and firmware, 1 device", speed["1 with firmware"], aim=AIM)
    yield _row("home and firmware, 4 devices, each", speed["4 with firmware"], "1 device", speed["1 with firmware"])
    yield _row("a whole play in process, no recognizer", listened["none"])
    yield _row("a whole play in process, PocketSphinx", listened["pocketsphinx"], "no recognizer", listened["none"])


def _row(what: str, ours: Figure, peer: str = "real time", theirs: Figure | None = None, aim: str = "") -> Row:
    beside = ours.each(lambda _: 1.0) if theirs is None else theirs
    return Row(what, "x real time", ours, peer, beside, ours.over(beside), aim)


@cache
def _kitchen(count: int) -> tuple[Scenario, Speech]:
    """The kitchen with so many devices, and its speech, decoded: that is done once, however often it is played."""
    kitchen = load_scenario("kitchen-unacceptable")
    devices = {f"dot-{number}": PlacedDevice(room="kitchen", at_m=at) for number, at in enumerate(PLACES[:count])}
    speech = load_speech(kitchen)
    for key in speech:
        speech[key]
    return kitchen.model_copy(update={"devices": devices}), speech


def _lived(count: int, with_firmware: bool) -> Callable[[], float]:
    scenario, speech = _kitchen(count)
    settings = {name: device_settings(scenario, name) for name in scenario.devices}
    scorers = {name: load_scorers(one.wake.words, one.wake.engine) for name, one in settings.items() if with_firmware}

    def measure() -> float:
        for one in scorers.values():
            one.reset()
        firmware = {
            name: Firmware(settings[name], Stream(name, scenario.utc), one, VoiceActivity())
            for name, one in scorers.items()
        }
        began = time.perf_counter()
        home = Home(scenario, speech, {name: one.acoustics for name, one in settings.items()})
        while not home.over:
            begin = home.clock
            for name, block in home.advance(HOP).items():
                if with_firmware:
                    firmware[name].hear(Block(begin, block))
        return count * home.clock / RATE / (time.perf_counter() - began)

    return measure


def _played(recognizer: str) -> Callable[[], float]:
    """The kitchen up to the line after its first wake, from loading the models to the outcome of the play."""
    setup = prepare("kitchen-unacceptable", overrides=[("cloud.ears.recognizer", recognizer)])
    scenario = setup.scenario.model_copy(update={"script": setup.scenario.script[:3]})
    lasting = len(overhear(scenario).samples) / RATE

    def measure() -> float:
        began = time.perf_counter()
        rehearse(replace(setup, scenario=scenario))
        return lasting / (time.perf_counter() - began)

    return measure
