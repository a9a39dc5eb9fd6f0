"""Scores of wake words, one a hop: what every engine offers, and how to get one."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ModelError
from wakeword.frames import HOP, as_hop, whole_hops

Scores = NDArray[np.float32]


class Scorer(Protocol):
    """Scores of one wake word, 0 to 1, one for each hop of 1280 samples.

    `name` is the wake word, `engine` what scores it, `threshold` the score at which its makers say that it is heard,
    `sha256` the hash of its model file.
    """

    name: str
    engine: str
    threshold: float
    sha256: str

    @property
    def warming_up(self) -> bool:
        """Whether the newest score still rests partly on the silence assumed before the stream began."""
        ...

    def push(self, hop: NDArray[np.int16]) -> float:
        """int16[1280] -> the newest score. Raises SoundError for anything but one hop."""
        ...

    def score(self, samples: NDArray[np.int16]) -> Scores:
        """int16[n] -> float32[n // 1280]: what push() gives hop by hop from a fresh start; the stream is untouched."""
        ...

    def reset(self) -> None:
        """Forget all sound; the next hop is the first."""
        ...


class ScoreStream(Protocol):
    """Scores of one stream from its first hop on."""

    def push(self, hops: NDArray[np.int16]) -> Scores:
        """int16[h * 1280] -> float32[h, k]; raises SoundError for anything but whole hops."""
        ...


class ScorerGroup(ABC):
    """Several wake words of one engine on one stream, sharing what can be shared.

    An engine sets the attributes, one entry a word, and says what a fresh stream is. The first `warm_up_hops`
    scores rest partly on what was assumed before the stream began.
    """

    engine: str
    names: tuple[str, ...]
    thresholds: tuple[float, ...]
    hashes: tuple[str, ...]
    warm_up_hops: int
    period: int = HOP
    """Sound that begins so many samples later in a stream gets the same scores, save for the hop they are told in."""

    @abstractmethod
    def fresh(self) -> ScoreStream:
        """A stream of its own that starts in silence."""

    def reset(self) -> None:
        """Forget all sound; the next hop is the first."""
        self._stream, self._heard = self.fresh(), 0

    @property
    def warming_up(self) -> bool:
        """As in Scorer."""
        return self._heard <= self.warm_up_hops

    def push(self, hops: NDArray[np.int16]) -> Scores:
        """int16[h * 1280] -> float32[h, k], the newest score of each word; in any portions, the same scores."""
        scores = self._stream.push(hops)
        self._heard += len(scores)
        return scores

    def score(self, samples: NDArray[np.int16]) -> Scores:
        """int16[n] -> float32[n // 1280, k]; from a fresh start, the stream is untouched."""
        return self.fresh().push(whole_hops(samples))


class _Single:
    """One word of a group of one, seen as a Scorer."""

    def __init__(self, group: ScorerGroup) -> None:
        self._group = group
        self.name, self.engine = group.names[0], group.engine
        self.threshold, self.sha256 = group.thresholds[0], group.hashes[0]

    @property
    def warming_up(self) -> bool:
        return self._group.warming_up

    def push(self, hop: NDArray[np.int16]) -> float:
        return float(self._group.push(as_hop(hop))[0, 0])

    def score(self, samples: NDArray[np.int16]) -> Scores:
        return self._group.score(samples)[:, 0]

    def reset(self) -> None:
        self._group.reset()


def _openwakeword(models: Sequence[str]) -> ScorerGroup:
    from wakeword.openwakeword_engine import OpenWakeWord

    return OpenWakeWord(models)


def _reference(models: Sequence[str]) -> ScorerGroup:
    from wakeword.reference_engine import Reference

    return Reference(models)


def _micro(models: Sequence[str]) -> ScorerGroup:
    from wakeword.micro_engine import Micro

    return Micro(models)


ENGINES: dict[str, Callable[[Sequence[str]], ScorerGroup]] = {
    "openwakeword": _openwakeword,
    "micro": _micro,
    "reference": _reference,
}


def load_scorers(models: Sequence[str], engine: str = "openwakeword") -> ScorerGroup:
    """Several wake words (names, or paths of model files) on one engine; their features are computed once.

    Raises ModelError for a model or engine that is not there and EngineMissing for one that is not installed.
    """
    if engine not in ENGINES:
        near = difflib.get_close_matches(engine, ENGINES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(ENGINES)}"
        raise ModelError(f"there is no engine called {engine}; {hint}")
    if not models:
        raise ModelError("no wake word is named; name at least one, for instance alexa")
    return ENGINES[engine](models)


def load_scorer(model: str = "alexa", engine: str = "openwakeword") -> Scorer:
    """One wake word by its name or the path of its model file; engines are `openwakeword`, `micro` and `reference`.

    Raises ModelError for a model or engine that is not there and EngineMissing for one that is not installed.
    """
    return _Single(load_scorers([model], engine))
