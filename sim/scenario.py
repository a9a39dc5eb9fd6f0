"""A scenario: who says what, when, how loud and over which noise; never what is heard, which the models decide."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from device.errors import ConfigError
from device.yaml_model import SettingFault, load_yaml_model
from sim.errors import ScenarioError
from sim.speech.voices import Voice


def _spoken(text: str) -> str:
    if not any(character.isalnum() for character in text):
        raise ValueError("there is nothing in it to say")
    return text


def _voice(text: str) -> str:
    return str(Voice.parse(text))


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Person(_Strict):
    """Somebody in the home."""

    voice: Annotated[str, AfterValidator(_voice)]
    """``engine:name``, such as ``flite:slt`` or ``espeak:en``."""
    level_dbfs: Annotated[float, Field(ge=-70, le=-10)] = -26.0
    """RMS of the active speech at the microphone, in dB under a full-scale square wave."""


class Background(_Strict):
    """Steady noise under everything."""

    kind: Literal["pink"] = "pink"
    snr_db: Annotated[float, Field(ge=-20, le=90)]
    """Active speech of all lines together over the noise."""


class Line(_Strict):
    """Something said."""

    who: str
    say: Annotated[str, Field(max_length=2000), AfterValidator(_spoken)]
    gap_ms: Annotated[int, Field(ge=-10_000, le=600_000)] = 300
    """From the end of all that was said before (for the first line: from the beginning); negative to cut in."""
    addressed: bool = False
    """Said to a device. Whoever reads the run needs it to tell true wakes from false ones."""


class Scenario(_Strict):
    """What goes on around the device. All that is random in it comes from ``seed``."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
    shows: Annotated[str, Field(min_length=1, max_length=300)]
    """One line on what there is to see."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    utc: AwareDatetime
    """When sample 0 was heard."""
    people: Annotated[dict[str, Person], Field(min_length=1)]
    background: Background | None = None
    script: Annotated[tuple[Line, ...], Field(min_length=1)]
    tail_ms: Annotated[int, Field(ge=0, le=600_000)] = 2000
    """How long it goes on after the last word."""

    @field_validator("script")
    @classmethod
    def _everybody_is_there(cls, script: tuple[Line, ...], info: ValidationInfo) -> tuple[Line, ...]:
        people = list(info.data.get("people", ()))
        for number, line in enumerate(script):
            if people and line.who not in people:
                near = get_close_matches(line.who, people, n=1)
                hint = f"did you mean {near[0]}?" if near else f"the people are: {', '.join(people)}"
                raise SettingFault((number, "who"), line.who, f"nobody is called that; {hint}")
        return script


def shipped_scenarios() -> dict[str, Path]:
    """The scenarios that come with the program, by name."""
    folder = Path(str(files("configs") / "scenarios"))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_scenario(name_or_path: str | Path, overrides: Sequence[tuple[str, str]] = ()) -> Scenario:
    """A shipped scenario by its name, or any by the path of its YAML file; ``overrides`` as for ``load_yaml_model``.

    Raises ScenarioError.
    """
    path, shipped = Path(name_or_path), shipped_scenarios()
    if path.suffix not in {".yaml", ".yml"}:
        name = str(name_or_path)
        if name not in shipped:
            near = get_close_matches(name, shipped, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(shipped)}"
            raise ScenarioError(f"there is no scenario called {name!r}; {hint} (a file of your own ends in .yaml)")
        path = shipped[name]
    try:
        return load_yaml_model(path, Scenario, overrides)
    except ConfigError as error:
        raise ScenarioError(str(error)) from None
