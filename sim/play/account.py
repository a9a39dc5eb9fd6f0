"""The account under which a scenario's devices are registered with its far end."""

from __future__ import annotations

import hashlib

from sim.cloud.customers import Account, number_of, serial_of
from sim.scenario import Scenario

_SOUTH, _WEST = 45.36, -121.72
_SIDE_DEG = 0.04
"""The upper slopes of Mount Hood, where nobody lives: no account can come to lie at a real person's door."""


def account_of(scenario: Scenario) -> Account:
    """Give what the scenario says of it, and for the rest what follows from its seed and its first person."""
    said, first = scenario.account, next(iter(scenario.people), "")
    about = f"{scenario.seed} {first}"
    north, east = (int.from_bytes(half) / 2**64 for half in _halves(f"place {about}"))
    return Account(
        number=said.number or number_of(about),
        first_name=first.title() if said.first_name is None else said.first_name,
        latitude=round(_SOUTH + north * _SIDE_DEG, 5) if said.latitude is None else said.latitude,
        longitude=round(_WEST + east * _SIDE_DEG, 5) if said.longitude is None else said.longitude,
        choice=said.choice,
        devices={name: serial_of(f"{scenario.seed} {name}") for name in scenario.devices},
    )


def _halves(about: str) -> tuple[bytes, bytes]:
    digest = hashlib.sha256(about.encode()).digest()
    return digest[:8], digest[8:16]
