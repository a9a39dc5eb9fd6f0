"""The acoustic model: a small feed-forward network from a few frames to the phone in their middle, trained here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.cloud.models.trainer.corpus import CONTEXT, Corpus
from sim.cloud.models.trainer.rendering import PHONES

OFFSETS = tuple(range(-CONTEXT, CONTEXT + 1, 2))
"""Which frames the network sees, relative to the one in question: 13 of them, 0.25 s in all."""

BATCH = 512

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """y = weights x + bias; float32[out, in] and float32[out]."""

    weights: Floats
    bias: Floats


@dataclass(frozen=True)
class Network:
    """Affine layers with rectifiers between and a log-softmax behind; reads unnormalised frames.

    ``priors``: float32[phones], the share of each phone in the training data.
    """

    layers: tuple[Layer, ...]
    priors: Floats


def train(
    corpus: Corpus,
    hidden: Sequence[int],
    passes: int,
    rng: np.random.Generator,
    advance: Callable[[float], object] = lambda _share: None,
) -> Network:
    """Fit a network with Adam, its rate falling to nothing along half a cosine.

    ``hidden``: widths of the hidden layers. ``advance`` is called with the share, 0 to 1, done since its last call.
    """
    targets = np.flatnonzero(corpus.labels >= 0)
    frames = corpus.frames[targets]
    mean, deviation = frames.mean(axis=0), frames.std(axis=0) + np.float32(1e-3)
    normal = (corpus.frames - mean) / deviation
    widths = [len(OFFSETS) * frames.shape[1], *hidden, len(PHONES)]
    weights = [
        rng.standard_normal((out, width), np.float32) * np.float32(np.sqrt(2 / width))
        for width, out in pairwise(widths)
    ]
    biases = [np.zeros(out, np.float32) for out in widths[1:]]
    adam = _Adam([*weights, *biases])
    steps = passes * (len(targets) // BATCH)
    step = 0
    for _ in range(passes):
        order = rng.permutation(targets)
        for begin in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[begin : begin + BATCH]
            slopes = _gradients(weights, biases, _windows(normal, chosen), corpus.labels[chosen])
            adam.step(slopes, rate=2e-3 * 0.5 * (1 + np.cos(np.pi * step / steps)))
            step += 1
            advance(1 / steps)
    counts = np.bincount(corpus.labels[targets], minlength=len(PHONES)).astype(np.float64)
    priors = ((counts + 1) / (counts + 1).sum()).astype(np.float32)  # a prior of zero would end the process
    first = _absorb(Layer(weights[0], biases[0]), mean, deviation)
    rest = [Layer(weight, bias) for weight, bias in zip(weights[1:], biases[1:], strict=True)]
    return Network((first, *rest), priors)


def _windows(frames: Floats, centres: NDArray[np.intp]) -> Floats:
    """float32[len(centres), 13 * 40]: the frames around each centre, oldest first."""
    windows: Floats = frames[centres[:, None] + np.array(OFFSETS)].reshape(len(centres), -1)
    return windows


def _log_softmax(x: Floats) -> Floats:
    x = x - x.max(axis=1, keepdims=True)
    out: Floats = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
    return out


def _gradients(
    weights: Sequence[Floats], biases: Sequence[Floats], x: Floats, labels: NDArray[np.int8]
) -> list[Floats]:
    """Slopes of the mean cross-entropy: those of the weights, then those of the biases."""
    inputs = [x]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        inputs.append(np.maximum(inputs[-1] @ weight.T + bias, 0))
    slope = np.exp(_log_softmax(inputs[-1] @ weights[-1].T + biases[-1]))
    slope[np.arange(len(labels)), labels] -= 1
    slope /= len(labels)
    of_weights: list[Floats] = []
    of_biases: list[Floats] = []
    for index in reversed(range(len(weights))):
        of_weights.insert(0, slope.T @ inputs[index])
        of_biases.insert(0, slope.sum(axis=0))
        if index:
            slope = (slope @ weights[index]) * (inputs[index] > 0)
    return of_weights + of_biases


class _Adam:
    """Kingma and Ba's optimiser with their constants; changes the given arrays in place."""

    def __init__(self, parameters: Sequence[Floats]) -> None:
        self._parameters = parameters
        self._mean = [np.zeros_like(parameter) for parameter in parameters]
        self._square = [np.zeros_like(parameter) for parameter in parameters]
        self._steps = 0

    def step(self, slopes: Sequence[Floats], rate: float) -> None:
        self._steps += 1
        size = np.float32(rate * np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps))
        for parameter, slope, mean, square in zip(self._parameters, slopes, self._mean, self._square, strict=True):
            mean += np.float32(0.1) * (slope - mean)
            square += np.float32(0.001) * (slope * slope - square)
            parameter -= size * mean / (np.sqrt(square) + np.float32(1e-8))


def _absorb(layer: Layer, mean: Floats, deviation: Floats) -> Layer:
    """The first layer for frames as they come: normalising them is affine too."""
    weights = layer.weights / np.concatenate([deviation] * len(OFFSETS))
    return Layer(weights, layer.bias - weights @ np.concatenate([mean] * len(OFFSETS)))
