"""A share, and a difference of two shares of the same clips, with their 95 % intervals. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.lab.intervals import wilson


@dataclass(frozen=True)
class Share:
    """`count` of `of`, and the interval of its share."""

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """0 to 1; of nothing, 0."""
        return self.count / self.of if self.of else 0.0

    def __str__(self) -> str:
        return f"{self.count} of {self.of} ({100 * self.low:.0f} to {100 * self.high:.0f} %)"

    def facts(self) -> dict[str, int | float]:
        """As it is written down."""
        return {"count": self.count, "of": self.of, "low": round(self.low, 4), "high": round(self.high, 4)}


def share(count: int, of: int) -> Share:
    """A share with Wilson's interval; raises ValueError for counts that cannot be."""
    return Share(count, of, *wilson(count, of))


def paired(both: int, first: int, second: int, neither: int) -> tuple[float, float, float]:
    """The share under the first condition less that under the second, of the same clips, with its interval.

    Newcombe's square-and-add interval for paired shares (1998, method 10). `first`: how many under the first alone.
    Of no clips, 0 and anything.
    """
    total = both + first + second + neither
    if total == 0:
        return 0.0, -1.0, 1.0
    one, other = share(both + first, total), share(both + second, total)
    difference = one.share - other.share
    product = (both + first) * (second + neither) * (both + second) * (first + neither)
    cross: float = both * neither - first * second
    if cross > 0:
        cross = max(cross - total / 2, 0.0)
    phi = cross / math.sqrt(product) if product else 0.0
    down = (one.share - one.low) ** 2 + (other.high - other.share) ** 2
    down -= 2 * phi * (one.share - one.low) * (other.high - other.share)
    up = (one.high - one.share) ** 2 + (other.share - other.low) ** 2
    up -= 2 * phi * (one.high - one.share) * (other.share - other.low)
    return difference, difference - math.sqrt(max(down, 0.0)), difference + math.sqrt(max(up, 0.0))
