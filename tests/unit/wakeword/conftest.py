"""Sound to score: made from a seed, and recordings of people where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wakeword import RATE, ScorerGroup, load_scorers
from wakeword.sound import Samples, read_sound, to_int16


def _speech_like(seed: int, length: int) -> Samples:
    """Syllables: gliding harmonics with three formants and breath, in bursts of about 200 ms over a noise floor."""
    rng = np.random.default_rng(seed)
    time = np.arange(length) / RATE
    pitch = 120 + 40 * np.sin(2 * np.pi * (0.7 * time + rng.random()))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    syllable = rng.integers(0, 5, length // 3200 + 2)
    voice = np.zeros(length)
    for harmonic in range(1, 26):
        envelope = np.zeros(length)
        for formant in (400, 1500, 2500):
            centre = formant * (0.7 + 0.15 * syllable[np.arange(length) // 3200])
            envelope += np.exp(-(((harmonic * pitch - centre) / 180) ** 2))
        voice += envelope * np.sin(harmonic * phase)
    loud = np.clip(np.sin(np.pi * np.arange(length) / 3200), 0, None) * (syllable[np.arange(length) // 3200] > 0)
    return to_int16(0.1 * voice * loud + 0.02 * loud * rng.normal(size=length) + 0.0005 * rng.normal(size=length))


@pytest.fixture(scope="session")
def speech_like() -> Callable[[int, int], Samples]:
    """``speech_like(seed, length)`` -> int16[length]."""
    return _speech_like


@pytest.fixture(scope="session")
def recordings(shared_data: Path) -> list[Samples]:
    """A few people saying "Alexa", the longest first."""
    files = sorted((shared_data / "alexa-recordings").glob("*.*"), key=lambda path: -path.stat().st_size)
    return [read_sound(path) for path in files[:4]]


@pytest.fixture(scope="session")
def group() -> ScorerGroup:
    """The default engine with three wake words, one of which cannot be batched and one of which has a long window."""
    return load_scorers(["alexa", "hey_jarvis", "timer"])
