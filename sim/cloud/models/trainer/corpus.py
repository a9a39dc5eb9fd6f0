"""The training corpus: lines read by several voices, made worse as a room would, each frame with its phone."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.cloud.models.trainer import features
from sim.cloud.models.trainer.rendering import PHONES, PITCH_HZ, Rendering, render
from wakeword.sound import RATE, Samples

CONTEXT = 12
"""Frames before and after the one in question that the network sees some of."""


@dataclass(frozen=True)
class Corpus:
    """Utterances end to end, each with `CONTEXT` copies of its first and last frame around it.

    ``frames``: float32[n, 40]; ``labels``: int8[n], an index into PHONES, or -1 where a frame is a copy and no target.
    """

    frames: NDArray[np.float32]
    labels: NDArray[np.int8]


def render_corpus(
    sentences: Sequence[str], copies: int, seed: int, advance: Callable[[], object] = lambda: None
) -> Corpus:
    """Read each sentence with one voice after the other, and spoil each reading in ``copies`` ways.

    The result depends on the arguments alone. ``advance`` is called once for each sentence done.
    """
    voices = tuple(PITCH_HZ)

    def utter(index: int) -> list[tuple[NDArray[np.float32], NDArray[np.int8]]]:
        rng = np.random.default_rng([seed, index])
        voice = voices[index % len(voices)]
        pitch = PITCH_HZ[voice] * rng.uniform(0.85, 1.2)
        rendering = render(sentences[index], voice, rng.uniform(0.85, 1.3), pitch)
        done = [_labelled(spoil(rendering, rng)) for _ in range(copies)]
        advance()
        return done

    # The work is in flite's processes and in numpy, so threads are enough.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = [part for parts in pool.map(utter, range(len(sentences))) for part in parts]
    return Corpus(np.concatenate([frames for frames, _ in parts]), np.concatenate([labels for _, labels in parts]))


def spoil(rendering: Rendering, rng: np.random.Generator) -> Rendering:
    """The same speech from another throat, in a room, softer or louder, in noise; the phones' ends move along."""
    size = round(len(rendering.samples) / rng.uniform(0.86, 1.18))
    scale = size / len(rendering.samples)
    speech = resample(rendering.samples.astype(np.float64), size)
    before, after = (int(rng.uniform(0, 0.5) * RATE) for _ in range(2))
    speech = np.pad(speech, (before, after))
    if rng.random() < 0.5:
        speech = reverberate(speech, rng)
    speech *= 10 ** (rng.uniform(-24, -2) / 20) * 32768 / max(1.0, np.abs(speech).max())
    speech += _noise(len(speech), float(np.sqrt(np.mean(speech**2))) * 10 ** (-rng.uniform(8, 35) / 20), rng)
    ends = [(name, before + round(end * scale)) for name, end in rendering.phones]
    ends[-1] = (ends[-1][0], len(speech))
    return Rendering(np.clip(np.rint(speech), -32768, 32767).astype(np.int16), tuple(ends))


def resample(samples: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """The same sound in ``size`` samples, so faster and higher or slower and lower; exact for a band-limited one."""
    spectrum = np.fft.rfft(samples)
    bins = size // 2 + 1
    spectrum = spectrum[:bins] if bins < len(spectrum) else np.pad(spectrum, (0, bins - len(spectrum)))
    out: NDArray[np.float64] = np.fft.irfft(spectrum, size) * (size / len(samples))
    return out


def reverberate(samples: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Add an exponentially decaying tail of 0.1 to 0.4 s (to -60 dB), 2 to 12 dB weaker than the direct sound."""
    seconds = rng.uniform(0.1, 0.4)
    time = np.arange(int(seconds * RATE)) / RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
    tail *= 10 ** (-rng.uniform(2, 12) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    size = len(samples) + len(tail)
    out: NDArray[np.float64] = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return out[: len(samples)]


def add_noise(samples: Samples, snr_db: float, rng: np.random.Generator) -> Samples:
    """Speech int16[n] with coloured noise ``snr_db`` below its mean power."""
    level = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) * 10 ** (-snr_db / 20)
    return np.clip(np.rint(samples + _noise(len(samples), level, rng)), -32768, 32767).astype(np.int16)


def _noise(size: int, rms: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise whose power falls with frequency f as 1/f^0 (white) to 1/f^2 (brown)."""
    bins = np.arange(1, size // 2 + 2)
    spectrum = (rng.standard_normal(len(bins)) + 1j * rng.standard_normal(len(bins))) * bins ** (-rng.uniform(0, 1.0))
    noise: NDArray[np.float64] = np.fft.irfft(spectrum, size)
    noise *= rms / np.sqrt(np.mean(noise**2))
    return noise


def _labelled(rendering: Rendering) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Features, and for each frame the phone in its middle."""
    frames = features.mfcc(rendering.samples)
    middles = np.arange(len(frames)) * features.SHIFT + features.WINDOW // 2
    ends = np.array([end for _, end in rendering.phones])
    index = np.minimum(np.searchsorted(ends, middles, side="right"), len(ends) - 1)
    labels = np.array([PHONES.index(name) for name, _ in rendering.phones], np.int8)[index]
    return np.pad(frames, ((CONTEXT, CONTEXT), (0, 0)), "edge"), np.pad(labels, CONTEXT, constant_values=-1)
