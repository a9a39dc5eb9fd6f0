"""Clips for the lab's tests: real speech, as it ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from sim.speech.manifest import shipped_folder
from wakeword.sound import RATE, Samples, read_sound

SAYS = (
    "slt-alexa-what-time-is-it-586e4f07",
    "rms-alexa-what-time-is-it-c5b63868",
    "rms-alexa-set-the-volume-to-four-59c0f0a2",
)
OTHER = ("slt-okay-f883196c", "rms-anything-in-the-post-today-d69f92ea")
WAKES = "rms-unacceptable-that-weather-c284447d"
"""Nobody says the wake word in it, and `openwakeword` wakes."""


def speech(name: str) -> Samples:
    return read_sound(shipped_folder() / f"{name}.flac")


def write(path: Path, samples: Samples) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return path


def folder_of(folder: Path, *names: str) -> Path:
    for name in names:
        write(folder / f"{name}.flac", speech(name))
    return folder


def pink(seconds: float, rms: float = 300.0) -> Samples:
    noise = np.random.default_rng(1).normal(0, rms, round(seconds * RATE))
    return noise.astype(np.int16)


EVERY_PHASE = "slt-a-lecture-about-opening-windows-16da258c"
"""The same, wherever it lies in the hops, and at 30 dB of noise."""

POPULATION = """name: tiny
people:
  count: {"1": 1.0}
  voices: ["flite:rms"]
  level_db_spl: [66, 70]
  on_prompt: {ignore: 1.0}
  reaction: "It is talking to us. Stop. Stop it."
  choice: {none: 1.0}
devices:
  count: {"1": 1.0}
  profile: {echo-dot: 1.0}
  word: {alexa: 1.0}
  requests_a_day: [0, 0]
talk:
  hours_a_day: [2, 4]
  lines_an_hour: [40, 80]
  gap_ms: [300, 900]
television:
  hours_a_day: [1, 2]
  words_an_hour: 6000
  level_db_spl: [60, 66]
  voices: ["flite:rms"]
room:
  length_m: [4.0, 5.0]
  width_m: [3.0, 4.0]
  rt60_s: [0.2, 0.25]
  noise_db_spl: [20, 25]
contacts: {count: [1, 1], names: [Frank]}
lines_a_stretch: 4
books:
  daily: {share: 0.5, lines: [Then we say it was the cat.]}
  other: {share: 0.5, lines: ["Unacceptable, that {name}.", "More than the wide ones? Why?"]}
lists: {name: [weather]}
sources: {television.words_an_hour: a test}
"""
"""Every line of it ships in this voice: nothing is rendered."""


def population_file(folder: Path, text: str = POPULATION) -> Path:
    path = folder / "population.yaml"
    path.write_text(text)
    return path
