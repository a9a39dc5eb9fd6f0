"""Who says what, when, to whom, and what was meant."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from device.yaml_model import SettingFault
from sim.scenario.base import DeviceName, Moment, Name, Strict, Text

GAP_MS = 300
"""Between lines for which nothing else is said."""


class Means(Strict):
    """What somebody who addressed a device meant by it."""

    intent: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] | None = None
    """An intent of the interaction model: send_message, time, stop, ..."""
    contact: str | None = None
    """The name of a contact."""
    confirm: bool | None = None
    """Whether it was meant as a yes or a no."""

    @model_validator(mode="after")
    def _means_something(self) -> Means:
        if self.intent is None and self.contact is None and self.confirm is None:
            raise ValueError("give an intent, a contact or confirm")
        return self


class Line(Strict):
    """Something said."""

    who: Name
    say: Text
    """The words; of a recording: the words that are in it."""
    sound: str | None = None
    """A recording to play in place of the voice, relative to the scenario's file."""
    gap_ms: Annotated[int, Field(ge=-60_000, le=86_400_000)] | None = None
    """From the end of all that people have said before (300 if left out); negative to cut in."""
    at_ms: Moment | None = None
    """Or: since the beginning."""
    to: DeviceName | None = None
    """The device that it is said to; whoever reads the run needs it to tell true wakes from false ones."""
    means: Means | None = None
    """What was meant, where it is said to a device."""
    when_heard: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Said only if the speaker has heard a prompt with these words in it (``*``: any); the gap is from its end."""
    wait_ms: Annotated[int, Field(ge=0, le=600_000)] | None = None
    """How long, from the end of all said before, such a prompt is waited for (10 s if left out). 0: nobody waits, but
    the line may come at any time until the script is over."""

    @model_validator(mode="after")
    def _times_fit(self) -> Line:
        if self.at_ms is not None and self.gap_ms is not None:
            raise SettingFault(("at_ms",), self.at_ms, "a line has gap_ms or at_ms, not both")
        if self.when_heard is not None and self.at_ms is not None:
            raise SettingFault(("at_ms",), self.at_ms, "a reaction comes after a prompt: give it a gap_ms")
        if self.when_heard is not None and self.gap_ms is not None and self.gap_ms < 0:
            raise SettingFault(("gap_ms",), self.gap_ms, "a prompt must be heard whole to react to it: 0 at least")
        if self.when_heard is None and self.wait_ms is not None:
            raise SettingFault(("wait_ms",), self.wait_ms, "it goes with when_heard only")
        if self.to is None and self.means is not None:
            why = "only what is said to a device means something to it: add to"
            raise SettingFault(("means",), self.means.model_dump(exclude_none=True), why)
        return self

    @property
    def addressed(self) -> bool:
        """Whether it is said to a device."""
        return self.to is not None

    @property
    def gap(self) -> int:
        """``gap_ms``, or what it is where it was left out."""
        return GAP_MS if self.gap_ms is None else self.gap_ms
