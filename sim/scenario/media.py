"""Televisions and radios."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from device.yaml_model import SettingFault
from sim.scenario.base import Moment, Name, Place, Strict, Text, VoiceName


class MediumLine(Strict):
    """Something said on air."""

    say: Text
    gap_ms: Annotated[int, Field(ge=0, le=600_000)] = 300
    """From the end of the line before it; of the first: from when it was turned on."""


class Medium(Strict):
    """A loudspeaker that plays lines, or a sound file."""

    room: Name
    at_m: Place
    level_db_spl: Annotated[float, Field(ge=20, le=110)] = 60.0
    """Active sound at 1 m."""
    begin_ms: Moment = 0
    """When it is turned on."""
    end_ms: Moment | None = None
    """When it is turned off; none: when its sound is over."""
    voice: VoiceName | None = None
    lines: tuple[MediumLine, ...] = ()
    file: str | None = None
    """Instead of voice and lines: a sound file of any rate and format, relative to the scenario's."""

    @model_validator(mode="after")
    def _plays_something(self) -> Medium:
        if self.file is not None and (self.lines or self.voice is not None):
            raise SettingFault(("file",), self.file, "a medium plays a file, or lines in a voice, not both")
        if self.file is None and not self.lines:
            raise ValueError("it plays nothing; give it a file, or a voice and lines")
        if self.file is None and self.voice is None:
            raise ValueError("its lines have no voice; give it one, such as flite:awb")
        if self.end_ms is not None and self.end_ms <= self.begin_ms:
            raise SettingFault(("end_ms",), self.end_ms, f"it must be more than begin_ms, {self.begin_ms}")
        return self
