"""From a scenario and its speech to what the microphone hears, and the truth beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.errors import ScenarioError
from sim.scenario import Line, Scenario
from wakeword.sound import RATE, Samples, to_int16

FULL_SCALE = 32768.0

FULL_SCALE_DB_SPL = 88.0
"""Of a square wave, 1 m from every mouth: there are no rooms here."""

FRAME = RATE // 50
"""Levels are measured over frames of 20 ms; those 30 dB under the loudest are no active speech."""

ACTIVE_DB = 30.0

PINK_FROM_HZ = 20.0
"""Under this the noise is white: a 1/f spectrum has no end, a microphone has."""

BACKGROUND = 0
"""Each kind of randomness has its own stream of the seed, so that a new kind does not change the others."""


@dataclass(frozen=True)
class SpokenLine:
    """Where a line is in the mixture: samples ``begin`` (inclusive) to ``end`` (exclusive)."""

    who: str
    text: str
    begin: int
    end: int
    addressed: bool


@dataclass(frozen=True)
class Mix:
    """What the microphone hears: int16[n] at 16 kHz, and who says what in it, in order of the script."""

    samples: Samples
    truth: tuple[SpokenLine, ...]
    attenuation_db: float
    """By how much everything was turned down so that nothing clips; 0 if it was not."""


def mix(scenario: Scenario, speech: Mapping[tuple[str, str], Samples]) -> Mix:
    """Lay the lines out in time, each at its speaker's level, over the background noise.

    ``speech`` has int16[n] for each (voice, text) of the script. Raises ScenarioError for a line that cuts in
    before the beginning.
    """
    sounds = [speech[scenario.key(line)] for line in scenario.script]
    truth = _lay_out(scenario.script, sounds)
    total = np.zeros(max(line.end for line in truth) + _samples(scenario.tail_ms))
    power = spoken = 0.0
    for line, sound in zip(truth, sounds, strict=True):
        target = 10.0 ** ((scenario.people[line.who].level_db_spl - FULL_SCALE_DB_SPL) / 20.0)
        total[line.begin : line.end] += sound / FULL_SCALE * (target / active_rms(sound))
        power += target**2 * len(sound)
        spoken += len(sound)
    background = scenario.rooms[next(iter(scenario.devices.values())).room].background
    if background is not None:
        noise_rms = np.sqrt(power / spoken) * 10.0 ** (-(background.snr_db or 0.0) / 20.0)
        total += pink_noise(len(total), np.random.default_rng([scenario.seed, BACKGROUND])) * noise_rms
    peak, most = float(np.max(np.abs(total))), 32767.0 / FULL_SCALE
    attenuation_db = 20.0 * float(np.log10(peak / most)) if peak > most else 0.0
    return Mix(to_int16(total * 10.0 ** (-attenuation_db / 20.0)), truth, attenuation_db)


def _lay_out(script: tuple[Line, ...], sounds: list[Samples]) -> tuple[SpokenLine, ...]:
    truth: list[SpokenLine] = []
    end = 0
    for number, (line, sound) in enumerate(zip(script, sounds, strict=True)):
        begin = end + _samples(line.gap)
        if begin < 0:
            raise ScenarioError(
                f"script.{number}.gap_ms is {line.gap}, which puts {line.say!r} before the beginning; "
                f"it can be {-end * 1000 // RATE} at least"
            )
        truth.append(SpokenLine(line.who, line.say, begin, begin + len(sound), line.addressed))
        end = max(end, truth[-1].end)
    return tuple(truth)


def _samples(ms: int) -> int:
    return ms * RATE // 1000


def active_rms(sound: Samples) -> float:
    """RMS (full scale 1) of the frames of int16[n] that hold speech; after ITU-T P.56, with a fixed margin."""
    padded = np.pad(sound / FULL_SCALE, (0, -len(sound) % FRAME))
    powers = np.mean(padded.reshape(-1, FRAME) ** 2, axis=1)
    return float(np.sqrt(np.mean(powers[powers >= np.max(powers) * 10.0 ** (-ACTIVE_DB / 10.0)])))


def pink_noise(n: int, random: np.random.Generator) -> NDArray[np.float64]:
    """float64[n] with power falling by 3 dB an octave, RMS 1."""
    spectrum = np.fft.rfft(random.standard_normal(n))
    frequencies = np.fft.rfftfreq(n, 1.0 / RATE)
    spectrum /= np.sqrt(np.maximum(frequencies, PINK_FROM_HZ))
    spectrum[0] = 0.0
    noise = np.fft.irfft(spectrum, n).astype(np.float64, copy=False)
    noise /= np.sqrt(np.mean(noise**2))
    return noise
