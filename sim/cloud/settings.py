"""The settings of the far end: how it listens, how eager it is, what a deletion reaches. Profiles: configs/cloud."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from device.errors import ConfigError
from device.yaml_model import SettingFault, load_yaml_model
from sim.cloud.turn import REACHES, Reach
from sim.errors import ScenarioError

Milliseconds = Annotated[int, Field(ge=0, le=600_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class VerifierSettings(_Settings):
    """The second look at the wake word."""

    method: Literal["none", "recognizer", "phonetic", "engine", "learned"] = Field(
        "none", description="how it is checked"
    )
    model: Path | None = Field(None, description="of learned: the verifier that misheard review loop wrote (.npz)")
    decide_ms: Milliseconds = Field(1000, description="from the end of the word to StopCapture")
    threshold: Share | None = Field(None, description="score that passes; none takes the method's own")

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> VerifierSettings:
        if (self.method == "learned") != (self.model is not None):
            why = "method learned and a model go together: give both, or neither"
            raise SettingFault(("method",), self.method, why)
        return self


class EarSettings(_Settings):
    """What counts as words."""

    recognizer: str = Field("auto", description="auto, vosk, pocketsphinx or none")
    confidence_floor: Share = Field(0.0, description="words the recognizer is less sure of are not heard")
    speech_probability: Share = Field(0.5, description="Silero VAD output under which there is no speech to recognize")
    alternatives: int = Field(3, ge=0, le=20, description="further transcripts to consider")


class ArbitrationSettings(_Settings):
    """Which of several devices answers."""

    on: bool = True


class DialogSettings(_Settings):
    """How eagerly words are taken for requests, contacts and confirmations."""

    communications: bool = Field(True, description="whether messages can be sent at all")
    interaction: str = Field("en", description="interaction model: a name in configs/cloud/interaction, or a file")
    intent_score: Share = Field(0.75, description="likeness, by sound and spelling, that makes words a request")
    contact_score: Share = Field(0.7, description="likeness that makes words a contact")
    sound_share: Share = Field(0.7, description="how much of a likeness is sound; the rest is spelling")
    spotting: Literal["anywhere", "whole"] = Field(
        "anywhere",
        description="anywhere: a request or a name may be buried in other words; whole: it is all that is said",
    )
    same_name: Literal["ask", "refuse"] = Field("ask", description="what to do where several contacts have the name")
    confirm: Literal["none", "eager", "strict"] = Field(
        "eager", description="none: not asked; eager: 'right' anywhere is a yes; strict: the reply is a yes and no more"
    )
    ask_body: bool = Field(False, description="whether it asks for the message, or just records what comes")
    read_back: bool = Field(False, description="whether it says whom the message went to")
    expect_ms: Milliseconds = Field(8000, description="how long the microphone stays open for a reply")
    reprompts: int = Field(1, ge=0, le=5, description="how often it asks again where it did not understand")


class DeletionSettings(_Settings):
    """What goes when a customer has recordings deleted."""

    by_voice: bool = Field(True, description="whether 'delete what I just said' is understood")
    reaches: tuple[Reach, ...] = REACHES
    keep_days: int | None = Field(
        None, ge=1, le=36_500, description="how long clips are kept of a customer who did not choose; none for ever"
    )
    keep_mb: int | None = Field(
        None, ge=1, le=100_000_000, description="most sound in the store, a folder; none as much as the disk takes"
    )
    when_full: Literal["refuse", "oldest"] = Field(
        "refuse", description="refuse: what comes stays with the devices until there is room; oldest: the oldest goes"
    )


class ContactSettings(_Settings):
    """An entry of the address book, for a far end that no scenario gives one."""

    name: str = Field(min_length=1, description="as it is written")
    id: str | None = Field(None, description="what tells two of one name apart: a surname, a town")
    say_as: str | None = Field(None, description="how the device says it, where that is not as it is written")


class CloudSettings(_Settings):
    """Everything a far end can be told."""

    name: str = Field("2018", pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    shows: str = Field("", description="one line on what this profile stands for")
    voice: str = Field("flite:slt", description="the device's own voice, engine:name")
    answer_ms: Milliseconds = Field(600, description="from the end of a clip to the answer, in virtual time")
    verifier: VerifierSettings = VerifierSettings()
    ears: EarSettings = EarSettings()
    arbitration: ArbitrationSettings = ArbitrationSettings()
    dialog: DialogSettings = DialogSettings()
    deletion: DeletionSettings = DeletionSettings()
    contacts: tuple[ContactSettings, ...] = Field((), description="the address book; a scenario has its own")


def load_cloud(profile: str | Path = "2018", overrides: Sequence[tuple[str, str]] = ()) -> CloudSettings:
    """A shipped profile by its name, or a YAML file by its path, with dotted keys overridden; raises ScenarioError."""
    folder = files("configs").joinpath("cloud")
    shipped = folder.joinpath(f"{profile}.yaml")
    try:
        if shipped.is_file():
            name = f"configs/cloud/{profile}.yaml"
            return load_yaml_model(shipped.read_text("utf-8"), CloudSettings, overrides, name=name)
        if Path(profile).is_file():
            return load_yaml_model(Path(profile), CloudSettings, overrides)
    except ConfigError as error:
        raise ScenarioError(str(error)) from None
    names = sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))
    raise ScenarioError(f"there is no far-end profile or file called {profile}; the profiles are {', '.join(names)}")
