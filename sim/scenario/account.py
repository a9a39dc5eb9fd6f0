"""Whose the devices of a home are: the account that a far end keeps of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sim.scenario.base import Strict, Text


class ScenarioAccount(Strict):
    """A customer who never was; what is not said follows from the scenario's seed and its people."""

    first_name: Text | None = None
    number: Annotated[str, Field(pattern=r"^A\d{10}$")] | None = None
    """A and 10 digits."""
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    choice: Literal["in", "out"] | None = None
    """Whether people may listen to what is recorded; without it nothing was chosen."""
