"""Which lines are said in a stretch, drawn so that what is rare is seen often, and for how much a stretch stands.

In the population each line is drawn apart from the others, line k with probability p(k). Drawn is from a mixture of
steps: the first is the population as it is; in step j a run of j lines, anywhere in the stretch, is tilted: its first
line towards the wake word, the second towards a request for a message, the third towards a contact's name, the fourth
towards a yes, each by ``exp(-distance / scale)``. A stretch's weight is its probability in the population over that in
the mixture (the balance heuristic of Veach and Guibas 1995; a defensive mixture after Hesterberg 1995): it is 1 on the
average, and never above 1 over the share of the first step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEPS = ("as it is", "wake", "request", "contact", "confirmation")
"""What the steps are tilted towards, each also towards those before it."""

MIX = (0.4, 0.18, 0.12, 0.12, 0.18)
"""The share of stretches drawn in each step."""

HEAVIEST = 1 / MIX[0]
"""No stretch has a larger weight."""

SCALES = (15, 12, 12, 12)
"""Hundredths of distance in which a tilt falls to 0.37: for the wake word, a request, a contact and a yes."""

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """Lines by their numbers, the step of the mixture, and for how much they stand."""

    lines: tuple[int, ...]
    step: int
    weight: float


class Proposal:
    """Draws stretches. `shares`: float64[n] of the lines; `ratios`: of each tilt float64[n], its share over that."""

    def __init__(self, shares: Shares, distances: Sequence[NDArray[np.int64]], length: int) -> None:
        """Take how likely lines are, how far each is from what each tilt is towards, and how many a stretch has.

        Raises ValueError for stretches too short for the last step.
        """
        if length < len(distances):
            raise ValueError(f"a stretch of {length} lines cannot hold {len(distances)} in a row")
        self._length, self._edges = length, np.cumsum(shares)
        self.ratios = [_ratio(shares, far, scale) for far, scale in zip(distances, SCALES, strict=False)]
        self._tilted = [np.cumsum(shares * ratio) for ratio in self.ratios]
        self._mix = np.array(MIX[: len(distances) + 1]) / sum(MIX[: len(distances) + 1])

    @property
    def heaviest(self) -> float:
        """No weight is larger."""
        return 1 / float(self._mix[0])

    def draw(self, rng: np.random.Generator) -> Drawn:
        """Draw a stretch."""
        step = int(np.searchsorted(np.cumsum(self._mix), rng.random(), side="right"))
        step = min(step, len(self.ratios))
        begin = int(rng.integers(self._length - step + 1)) if step else 0
        lines = tuple(
            _pick(self._tilted[at - begin] if begin <= at < begin + step else self._edges, rng)
            for at in range(self._length)
        )
        return Drawn(lines, step, self.weight(lines))

    def weight(self, lines: Sequence[int]) -> float:
        """How likely these lines are in the population, over how likely they are to be drawn."""
        of = np.array(lines)
        runs = np.ones(self._length)
        drawn = float(self._mix[0])
        for step, ratio in enumerate(self.ratios, 1):
            # Of a run that begins at each place: that of the step before, and one line more.
            runs = runs[: self._length - step + 1] * ratio[of][step - 1 :]
            drawn += float(self._mix[step] * np.mean(runs))
        return 1 / drawn


def _ratio(shares: Shares, far: NDArray[np.int64], scale: int) -> Shares:
    tilt = np.exp(-(far - np.min(far)) / scale)
    found: Shares = tilt / float(shares @ tilt)
    return found


def _pick(edges: Shares, rng: np.random.Generator) -> int:
    return min(int(np.searchsorted(edges, rng.random() * edges[-1], side="right")), len(edges) - 1)
