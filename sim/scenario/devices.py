"""The devices of a home, and when somebody mutes one."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sim.scenario.base import DeviceName, Moment, Name, Place, Strict


def _time_of_day(text: str) -> str:
    try:
        time.fromisoformat(text)
    except ValueError:
        raise ValueError('a time of day is hours:minutes or hours:minutes:seconds, such as "21:00"') from None
    return text


class PlacedDevice(Strict):
    """A device: what it is, and where."""

    profile: str = "echo-dot"
    """A name in configs/devices, or a .yaml file, relative to the scenario's."""
    room: Name
    at_m: Place


class Mute(Strict):
    """Somebody presses the microphone button."""

    device: DeviceName
    at: Annotated[str, AfterValidator(_time_of_day)] | None = None
    """Time of day where the home is: the next one at or after the beginning."""
    at_ms: Moment | None = None
    """Or: since the beginning."""
    muted: bool = True

    @model_validator(mode="after")
    def _at_one_time(self) -> Mute:
        if (self.at is None) == (self.at_ms is None):
            raise ValueError("a mute has at or at_ms, one of the two")
        return self

    def after_ms(self, utc: datetime) -> Annotated[int, Field(ge=0)]:
        """Milliseconds after the beginning, which was at ``utc``."""
        if self.at is None:
            return self.at_ms or 0
        moment = datetime.combine(utc.date(), time.fromisoformat(self.at), utc.tzinfo)
        return round((moment - utc) / timedelta(milliseconds=1)) % 86_400_000
