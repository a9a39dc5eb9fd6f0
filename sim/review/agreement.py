"""How much two people agree beyond chance: Cohen's kappa, with its interval."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

_Z = 1.959964
"""For 95 %."""


@dataclass(frozen=True)
class Agreement:
    """Cohen's kappa of `n` pairs, and its 95 % interval; None where it is not defined.

    That is so without a pair, and where both used one and the same label throughout. observed: the plain share of pairs
    that agree. The interval is that of the large-sample variance of Fleiss, Cohen and Everitt (1969); with few pairs it
    is too narrow.
    """

    kappa: float | None
    n: int
    low: float | None
    high: float | None
    observed: float | None


def cohen_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    """Compare the labels that two people gave to the same things."""
    n = len(pairs)
    if not n:
        return Agreement(None, 0, None, None, None)
    joint = Counter(pairs)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    labels = list(dict.fromkeys([*first, *second]))
    observed = sum(joint[label, label] for label in labels) / n
    expected = sum(first[label] * second[label] for label in labels) / n**2
    if expected >= 1 - 1e-12:
        return Agreement(None, n, None, None, observed)
    kappa = (observed - expected) / (1 - expected)
    row = {label: first[label] / n for label in labels}
    column = {label: second[label] / n for label in labels}
    same = sum(joint[label, label] / n * (1 - (row[label] + column[label]) * (1 - kappa)) ** 2 for label in labels)
    other = (1 - kappa) ** 2 * sum(
        count / n * (column[one] + row[two]) ** 2 for (one, two), count in joint.items() if one != two
    )
    variance = (same + other - (kappa - expected * (1 - kappa)) ** 2) / (n * (1 - expected) ** 2)
    half = _Z * math.sqrt(max(0.0, variance))
    return Agreement(kappa, n, max(-1.0, kappa - half), min(1.0, kappa + half), observed)
