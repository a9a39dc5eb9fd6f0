"""How much a spool may hold, and what goes when it is too much: whole clips, by a policy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Policy: TypeAlias = Literal["refuse_new", "drop_oldest", "drop_unverified_first"]


@dataclass(frozen=True)
class Budget:
    """What a spool may hold: `size` in bytes of payload, `age_s` in seconds in which the device listened."""

    size: float = math.inf
    age_s: float = math.inf
    policy: Policy = "drop_oldest"


@dataclass(frozen=True)
class Held:
    """A waiting clip as the policy sees it: bytes of payload, and how much it is wanted (the highest stay longest)."""

    clip: str
    size: int
    priority: float


@dataclass(frozen=True)
class Verdict:
    """Whether a part may be kept, and the clips that go for it."""

    keep: bool
    victims: tuple[str, ...] = ()


def judge(budget: Budget, others: Sequence[Held], held: int, size: int, lacking: int, *, begun: bool) -> Verdict:
    """Say whether a part of `size` bytes may be kept.

    others: the waiting clips beside its own, the oldest first. held: bytes of its own clip that wait. lacking: bytes
    that the disk has too little. begun: whether a part of its clip was kept before; then only the disk can refuse it,
    so a spool may pass its budget by one clip.
    """
    over = sum(each.size for each in others) + held + size - budget.size
    if lacking > 0:
        if budget.policy == "refuse_new" or sum(each.size for each in others) < lacking:
            return Verdict(False)
        return Verdict(True, _first(others, max(over, lacking), budget.policy))
    if over > 0 and budget.policy == "refuse_new":
        return Verdict(begun)
    return Verdict(True, _first(others, over, budget.policy))


def _first(others: Sequence[Held], over: float, policy: Policy) -> tuple[str, ...]:
    """Choose clips that free at least `over` bytes: the oldest, or first those of the lowest priority."""
    chosen = []
    for each in sorted(others, key=lambda other: other.priority) if policy == "drop_unverified_first" else others:
        if over <= 0:
            break
        chosen.append(each.clip)
        over -= each.size
    return tuple(chosen)
