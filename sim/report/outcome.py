"""What `run.json` holds of which the report makes use."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.errors import SimError


class _Facts(BaseModel):
    """A run may have been written by a later version: what is not known here is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Count = Annotated[int, Field(ge=0)]


class Line(_Facts):
    """A line of the scenario's script; `to` is the device that it is said to, `addressed` what older runs say of it."""

    who: str
    say: str
    addressed: bool = False
    to: str | None = None

    @property
    def meant(self) -> bool:
        """Whether it was said to a device."""
        return self.addressed or self.to is not None


class Story(_Facts):
    """The scenario, where a scenario was played."""

    name: str
    shows: str
    people: dict[str, object]
    media: dict[str, object] = {}
    script: tuple[Line, ...]


class Device(_Facts):
    """The device's settings."""

    name: str = "device"


class Manifest(_Facts):
    """From what the run can be repeated; `cloud` are the far end's settings, where it was in the same program."""

    stream: str = ""
    words: tuple[str, ...] = ()
    engine: str = ""
    models: dict[str, str] = {}
    recognizers: tuple[str, ...] = ()
    thresholds: dict[str, float] = {}
    seed: int | None = None
    source: str = ""
    wire: str = ""
    device: Device = Device()
    cloud: dict[str, Any] = {}
    scenario: Story | None = None
    versions: dict[str, str] = {}

    @property
    def utc(self) -> datetime | None:
        """Time of sample 0, which the name of a stream ends in."""
        try:
            return datetime.strptime(self.stream.rpartition("-")[2], "%Y%m%dt%H%M%S%f").replace(tzinfo=UTC)
        except ValueError:
            return None


class Wakes(_Facts):
    """How often the device woke: `true` and `false` where the truth is known, else `all`."""

    true: Count = 0
    false: Count = 0
    all: Count | None = None
    near_misses: Count = 0

    @property
    def total(self) -> int:
        """All wakes."""
        return self.true + self.false if self.all is None else self.all


class Clips(_Facts):
    """How much was recorded, and how much arrived."""

    captured: Count
    received: Count
    uploaded_s: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Message(_Facts):
    """A message that was sent; `misdirected`: nobody meant to send it, or not to this one."""

    to: str
    misdirected: bool | None = None
    audio_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    id: str = ""
    clip: str = ""


class Outcome(_Facts):
    """`run.json`; `what_if` are the rows of the table of safeguards, which `sim.report.whatif` reads."""

    manifest: Manifest
    wakes: Wakes
    clips: Clips
    messages: tuple[Message, ...] = ()
    deleted: tuple[str, ...] = ()
    what_if: tuple[Any, ...] = ()


def read_outcome(path: Path) -> Outcome:
    """Read `run.json`; raises SimError where it is missing or damaged."""
    try:
        return Outcome.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SimError(f"{path} cannot be read ({error.strerror}); give the directory of a run that ended") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        why = f"{where}: {first['msg']}" if where else first["msg"]
        raise SimError(f"{path} is damaged ({why}); repeat the run to get a whole one") from None
