"""What a safeguard is: a name, a usual value, and how it changes a play."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from sim.errors import WhatIfError
from sim.play.setup import Setup


class Safeguard(ABC):
    """One thing that could be different. A new one is a small class in `sim.whatif.safeguards`."""

    name: ClassVar[str]
    usual: ClassVar[str]
    """The value that is taken where none is given."""
    also: ClassVar[tuple[str, ...]] = ()
    """Further values that are worth a row where all safeguards are wanted."""
    shows: ClassVar[str]
    """What it means, in a few words; ``{}`` stands for the value."""

    @abstractmethod
    def apply(self, setup: Setup, value: str) -> Setup:
        """Give the setup with this in force; raises WhatIfError for a value that cannot be."""

    def missing(self, value: str) -> str | None:  # noqa: ARG002
        """What must be installed first, if so."""
        return None

    def refuse(self, value: str, wanted: str) -> WhatIfError:
        """Give the error for a value that cannot be."""
        return WhatIfError(f"--what-if {self.name}={value}: it takes {wanted}, such as {self.name}={self.usual}")

    def number(self, value: str, low: float, high: float, unit: str) -> float:
        """Read a number; raises WhatIfError where it is none, or lies outside."""
        wanted = f"a number from {low:g} to {high:g}{f' {unit}' if unit else ''}"
        try:
            found = float(value)
        except ValueError:
            raise self.refuse(value, wanted) from None
        if not low <= found <= high:
            raise self.refuse(value, wanted)
        return found

    def choice(self, value: str, *allowed: str) -> str:
        """Read one of a few words; raises WhatIfError."""
        if value not in allowed:
            raise self.refuse(value, f"one of {', '.join(allowed)}")
        return value
