"""Which lines are said in a stretch, drawn so that what is rare is seen often, and for how much a stretch stands.

In the population each line is drawn apart from the others, line k with probability p(k). Drawn is from a mixture of
steps: the first is the population as it is; in each other a run of lines, anywhere in the stretch, is tilted: its first
line towards a wake, in some the second towards a request for a message, in some those that follow towards the name of
a contact and a yes. A stretch's weight is its probability in the population over that in the mixture (the balance
heuristic of Veach and Guibas 1995; a defensive mixture after Hesterberg 1995): it is 1 on the average, and never above
1 over the share of the first step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEPS = ("as it is", "wake", "request", "reply")
"""What the steps are tilted towards, each also towards those before it."""

MIX = (0.5, 0.25, 0.1, 0.15)
"""The share of stretches drawn in each step. With more of the later ones false wakes become less sure than of as many
stretches drawn as they are."""

HEAVIEST = 1 / MIX[0]
"""No stretch has a larger weight."""

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """Lines by their numbers, the step of the mixture, and for how much they stand."""

    lines: tuple[int, ...] = ()
    step: int = 0
    weight: float = 1.0


class Proposal:
    """Draws stretches. `runs`: of each step but the first, line by line, the tilted shares over the shares."""

    def __init__(self, shares: Shares, runs: Sequence[Sequence[Shares]], length: int) -> None:
        """Take how likely lines are, how much each line of a run is tilted towards which, and how many a stretch has.

        Raises ValueError for a run that is longer than a stretch.
        """
        longest = max(map(len, runs), default=0)
        if length < longest:
            raise ValueError(f"a stretch of {length} lines cannot hold {longest} in a row")
        self._length, self._edges = length, np.cumsum(shares)
        self.runs = [[tilt / float(shares @ tilt) for tilt in run] for run in runs]
        self._tilted = [[np.cumsum(shares * ratio) for ratio in run] for run in self.runs]
        self._steps = np.cumsum(MIX[: len(runs)]) / sum(MIX[: len(runs) + 1])
        self._mix = np.array(MIX[: len(runs) + 1]) / sum(MIX[: len(runs) + 1])

    @property
    def heaviest(self) -> float:
        """No weight is larger."""
        return 1 / float(self._mix[0])

    def draw(self, rng: np.random.Generator) -> Drawn:
        """Draw a stretch."""
        step = int(np.searchsorted(self._steps, rng.random(), side="right"))
        run = self._tilted[step - 1] if step else []
        begin = int(rng.integers(self._length - len(run) + 1))
        edges = [self._edges] * self._length
        edges[begin : begin + len(run)] = run
        lines = tuple(_pick(each, rng) for each in edges)
        return Drawn(lines, step, self.weight(lines))

    def weight(self, lines: Sequence[int]) -> float:
        """How likely these lines are in the population, over how likely they are to be drawn."""
        of = np.array(lines)
        drawn = float(self._mix[0])
        for share, run in zip(self._mix[1:].tolist(), self.runs, strict=True):
            begins = self._length - len(run) + 1
            ratios = [ratio[of[at : at + begins]] for at, ratio in enumerate(run)]
            drawn += share * float(np.mean(np.prod(ratios, axis=0)))
        return 1 / drawn


def near(far: NDArray[np.int64], scale: int) -> Shares:
    """A tilt towards what is near: it falls to 0.37 in so many hundredths of distance."""
    found: Shares = np.exp(-(far - np.min(far)) / scale)
    return found


def blended(shares: Shares, parts: Sequence[tuple[Shares, float]]) -> Shares:
    """A tilt that draws by each of these in its part of cases."""
    found: Shares = np.sum([part * tilt / float(shares @ tilt) for tilt, part in parts], axis=0)
    return found


def _pick(edges: Shares, rng: np.random.Generator) -> int:
    return min(int(np.searchsorted(edges, rng.random() * edges[-1], side="right")), len(edges) - 1)
