"""Small homes to test with: tones and hisses in place of voices, so that what is heard can be computed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from device.config import AcousticSettings
from sim.home.home import Home
from sim.scenario import Scenario
from wakeword.sound import RATE, Samples

Speech = Mapping[tuple[str, str], Samples]


def hiss(seconds: float, seed: int = 1) -> Samples:
    """White noise: every band of it is there all the time."""
    return np.rint(np.random.default_rng(seed).normal(0, 3000, round(seconds * RATE))).astype(np.int16)


def tone(seconds: float, hz: float, amplitude: float = 3000.0) -> Samples:
    return np.rint(amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


SPEECH: Speech = {
    ("flite:slt", "One."): hiss(1.0, 1),
    ("flite:rms", "Two."): hiss(0.5, 2),
    ("flite:awb", "News."): hiss(2.0, 3),
}
PROMPT = hiss(1.0, 4)


def scenario(*script: dict[str, Any], **changes: Any) -> Scenario:
    """Ann at 1 m from the device `dot` on the table, Ben at 2 m from it; the device `far` stands in the other room."""
    whole: dict[str, Any] = {
        "name": "tones",
        "shows": "Noises instead of words.",
        "seed": 1,
        "utc": "2018-05-24T18:30:00Z",
        "rooms": {
            "living": {"size_m": [6.0, 5.0, 3.0], "rt60_s": 0},
            "hall": {"size_m": [4.0, 3.0, 3.0], "rt60_s": 0},
        },
        "people": {
            "ann": {"voice": "flite:slt", "room": "living", "at_m": [3.0, 2.0, 1.0], "level_db_spl": 60},
            "ben": {"voice": "flite:rms", "room": "living", "at_m": [2.0, 4.0, 1.0], "level_db_spl": 60},
        },
        "devices": {
            "dot": {"room": "living", "at_m": [2.0, 2.0, 1.0]},
            "far": {"room": "hall", "at_m": [2.0, 1.0, 1.0]},
        },
        "script": list(script) or [{"who": "ann", "say": "One.", "gap_ms": 100}],
        "tail_ms": 50,
    }
    return Scenario.model_validate_json(json.dumps(whole | changes))


def home(of: Scenario, **acoustics: float) -> Home:
    return Home(of, SPEECH, dict.fromkeys(of.devices, AcousticSettings(**acoustics)))


def level_dbfs(sound: Samples) -> float:
    """RMS under that of a square wave of full scale."""
    return 20 * float(np.log10(np.sqrt(np.mean((sound / 32768.0) ** 2)) + 1e-12))
