"""A sound file as wake words hear it: scores, wakes and near misses, in memory that does not grow with its sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from wakeword.errors import SoundError
from wakeword.features import TILE
from wakeword.frames import HOP, whole_hops
from wakeword.scorer import ScorerGroup, Scores
from wakeword.sound import Samples, stream_sound
from wakeword.trigger import Detection, Trigger, TriggerSettings


@dataclass(frozen=True)
class ScoredWord:
    """What one wake word made of a file: `scores` is float32[h], 0 to 1, one a hop."""

    name: str
    settings: TriggerSettings
    scores: Scores
    wakes: tuple[Detection, ...]
    near_misses: tuple[Detection, ...]

    @property
    def highest(self) -> tuple[float, int] | None:
        """The highest score and the end of its hop as a sample index; None for a file shorter than a hop."""
        if not len(self.scores):
            return None
        hop = int(self.scores.argmax())
        return float(self.scores[hop]), hop_end(hop)


@dataclass(frozen=True)
class ScoredFile:
    """One file and what each wake word made of it.

    `samples` is its length at 16 kHz; scores of hops that end at or before sample `warm_up` rest partly on the
    silence assumed before the file; `damage` says why there was no more to read, where there should have been.
    """

    file: str
    samples: int
    warm_up: int
    words: tuple[ScoredWord, ...]
    damage: str | None = None


def score_file(
    file: str,
    group: ScorerGroup,
    settings: Sequence[TriggerSettings],
    heard: Callable[[int], None] = lambda samples: None,  # noqa: ARG005 - the name is the type's
) -> ScoredFile:
    """Score a sound file from a fresh start, with one trigger a word; `heard` is told of the samples taken.

    Raises SoundError when nothing of the file can be read; what was read of a damaged one is scored.
    """
    stream, rest, samples, damage = group.fresh(), np.empty(0, np.int16), 0, None
    tiles = [np.empty((0, len(group.names)), np.float32)]
    try:
        for chunk in stream_sound(file, chunk=TILE * HOP):
            samples += len(chunk)
            hops, rest = _whole_and_rest(np.concatenate([rest, chunk]))
            tiles.append(stream.push(hops))
            heard(len(chunk))
    except SoundError as error:
        if not samples:
            raise
        damage = str(error)
    scores = np.concatenate(tiles)
    words = tuple(
        _decide(name, scores[:, column], setting)
        for column, (name, setting) in enumerate(zip(group.names, settings, strict=True))
    )
    return ScoredFile(file, samples, hop_end(group.warm_up_hops - 1), words, damage)


def _whole_and_rest(samples: Samples) -> tuple[Samples, Samples]:
    hops = whole_hops(samples)
    return hops, samples[len(hops) :]


def hop_end(hop: int) -> int:
    """The sample at which the hop of this index (from 0) ends, exclusive."""
    return (hop + 1) * HOP


def _decide(name: str, scores: Scores, settings: TriggerSettings) -> ScoredWord:
    trigger = Trigger(settings)
    found = [trigger.push(score, hop_end(hop)) for hop, score in enumerate(scores.tolist())]
    found.append(trigger.flush(hop_end(len(scores) - 1)))
    wakes = tuple(each for each in found if each and each.woke)
    near_misses = tuple(each for each in found if each and not each.woke)
    return ScoredWord(name, settings, scores, wakes, near_misses)
