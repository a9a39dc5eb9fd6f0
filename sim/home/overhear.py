"""What devices that never speak would hear of a whole scenario: for tools that need the sound and no far end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sim.home.home import Home
from sim.home.truth import SpokenLine
from sim.scenario import Scenario, device_settings
from sim.speech.library import load_speech
from wakeword.frames import HOP
from wakeword.sound import Samples


@dataclass(frozen=True)
class Overheard:
    """int16[n] at each device's microphone, and what was said, with the same sample indices."""

    devices: Mapping[str, Samples]
    truth: tuple[SpokenLine, ...]

    @property
    def samples(self) -> Samples:
        """At the first device."""
        return next(iter(self.devices.values()))


def overhear(scenario: Scenario, speech: Mapping[tuple[str, str], Samples] | None = None) -> Overheard:
    """Live through a scenario, in whole hops; raises SimError."""
    acoustics = {name: device_settings(scenario, name).acoustics for name in scenario.devices}
    home = Home(scenario, load_speech(scenario) if speech is None else speech, acoustics)
    heard: dict[str, list[Samples]] = {name: [] for name in scenario.devices}
    while not home.over:
        for name, samples in home.advance(HOP).items():
            heard[name].append(samples)
    return Overheard({name: np.concatenate(blocks) for name, blocks in heard.items()}, home.truth)
