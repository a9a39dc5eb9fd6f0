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
