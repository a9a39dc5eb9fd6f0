"""What a programme of human review may do: whose clips, how many, what is shown beside them. Data: configs/review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from device.errors import ConfigError
from device.yaml_model import SettingFault, load_yaml_model
from sim.errors import PolicyError

Share = Annotated[float, Field(ge=0, le=1)]
Queue: TypeAlias = Literal["false-wakes", "low-confidence", "general"]
Fact: TypeAlias = Literal["account number", "first name", "device serial", "coordinates"]
View: TypeAlias = Literal["2019-april", "coordinates", "deidentified"]
Consent: TypeAlias = Literal["everybody", "opt-out", "opt-in", "nobody"]

QUEUES: tuple[Queue, ...] = get_args(Queue)
"""In the order in which they are worked off."""
VIEWS: Mapping[View, tuple[Fact, ...]] = {
    "2019-april": ("account number", "first name", "device serial"),
    "coordinates": ("account number", "device serial", "coordinates"),
    "deidentified": (),
}
"""What stands beside a clip. The first as reported in April 2019, the second as in later reports."""
NOT_OUR_JOB = "not our job"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DistressSettings(_Settings):
    """Who takes on what was too much for a listener, and within how many hours."""

    assignee: str = Field(min_length=1, description="a lead's name")
    deadline_h: float = Field(gt=0, le=8760, description="hours from the report on")


class ReviewPolicy(_Settings):
    """Everything a programme of review can be told."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    tells: str = Field("", description="one line on what this policy stands for")
    rate: Share = Field(description="share of the clips that are drawn")
    customers: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="share of the customers that are drawn from; theirs are drawn the more often for it"
    )
    consent: Consent = Field(
        description="everybody: nobody is asked; opt-out: who did not say no; opt-in: who said yes; nobody: no clip"
    )
    strata: Mapping[Queue, Share] = Field(
        {}, description="shares of their own for queues, in place of rate; a queue that is not named gets none"
    )
    low_confidence: Share = Field(0.5, description="mean confidence of its words under which a clip is in that queue")
    double: Share = Field(0.0, description="share of the drawn clips that two people annotate")
    shows: View | tuple[Fact, ...] = Field(description="what stands beside a clip: a view by its name, or its facts")
    prefill: bool = Field(True, description="whether the recognizer's transcript is there to be mended")
    distress: DistressSettings | None = Field(None, description="none: it is not our job")
    take_minutes: float = Field(30.0, gt=0, le=1440, description="after which a task that was taken falls back")

    @model_validator(mode="after")
    def _shares_fit(self) -> ReviewPolicy:
        for queue, rate in {**dict.fromkeys(QUEUES, self.rate), **self.strata}.items():
            if rate > self.customers:
                at = ("strata", queue) if queue in self.strata else ("rate",)
                raise SettingFault(at, rate, f"is more than all clips of {self.customers:g} of the customers")
        return self

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What stands beside a clip."""
        return VIEWS[self.shows] if isinstance(self.shows, str) else self.shows

    def rate_of(self, queue: Queue) -> float:
        """The share of a queue's clips that is drawn."""
        if self.consent == "nobody":
            return 0.0
        return self.strata.get(queue, 0.0) if self.strata else self.rate

    def refusal(self, choice: str | None) -> str | None:
        """Why nobody may listen to a customer who chose this ("in", "out", None: nothing); None where they may."""
        if self.consent == "nobody":
            return "nobody listens under this policy"
        if self.consent == "opt-out" and choice == "out":
            return "opted out"
        if self.consent == "opt-in" and choice != "in":
            return "opted out" if choice == "out" else "never opted in"
        return None

    @property
    def procedure(self) -> str:
        """What is done about distress, in words."""
        if self.distress is None:
            return NOT_OUR_JOB
        return f"goes to {self.distress.assignee} within {self.distress.deadline_h:g} h"


def shipped_policies() -> list[str]:
    """The names of the policies that come with the program."""
    folder = files("configs").joinpath("review")
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def load_policy(name: str | Path = "2019-april", overrides: Sequence[tuple[str, str]] = ()) -> ReviewPolicy:
    """A shipped policy by its name, or a YAML file by its path, with dotted keys overridden; raises PolicyError."""
    try:
        if str(name) in shipped_policies():
            text = files("configs").joinpath("review", f"{name}.yaml").read_text("utf-8")
            return load_yaml_model(text, ReviewPolicy, overrides, name=f"configs/review/{name}.yaml")
        if Path(name).is_file():
            return load_yaml_model(Path(name), ReviewPolicy, overrides)
    except ConfigError as error:
        raise PolicyError(str(error)) from None
    raise PolicyError(
        f"there is no review policy or file called {name}; the policies are {', '.join(shipped_policies())}"
    )
