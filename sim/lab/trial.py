"""One play of a scenario as a task: what is asked is a few words, what comes back is how it came out."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from device.errors import DeviceError
from sim.errors import LabError, SimError
from sim.lab.ledger import digest
from sim.play.setup import Setup, prepare
from wakeword.errors import WakewordError
from wakeword.sound import read_sound

OUTCOMES: Mapping[str, type] = {
    "woke": bool,
    "false_wakes": int,
    "uploaded_s": float,
    "verified": bool,
    "intent": str,
    "contact": str,
    "confirmed": bool,
    "sent": bool,
    "misdirected": bool,
    "heard_by": str,
    "stopped": str,
    "error": str,
}
"""What a row says of a play, as `sim.play.outcome.Outcome.row`; `error`: why it could not be played."""


class Base(NamedTuple):
    """What plays of one kind have in common: names or files, and what they were when the work was planned."""

    scenario: str
    profile: str | None = None
    cloud: str | None = None
    content: str = ""
    """`content` of it; workers read the files where they are, and notice where they are others."""


class Trial(NamedTuple):
    """One play."""

    base: Base
    seed: int
    overrides: tuple[tuple[str, str], ...] = ()


def base(scenario: str, profile: str | None = None, cloud: str | None = None) -> Base:
    """Give what plays have in common, with its content; raises ScenarioError, ConfigError, LabError."""
    found = Base(*(_absolute(name) for name in (scenario, profile, cloud)))  # type: ignore[arg-type]
    return found._replace(content=content(found))


def _absolute(name: str | None) -> str | None:
    """A file by its whole path, as workers may have been started elsewhere; names as they are."""
    return str(Path(name).resolve()) if name is not None and name.endswith((".yaml", ".yml")) else name


def content(about: Base) -> str:
    """The SHA-256 of all that the files say, and of the recordings in them."""
    setup = prepare(about.scenario, profile=about.profile, cloud=about.cloud)
    recordings = [sound for sound, _ in setup.scenario.utterances if sound.startswith("file:")]
    sounds = {each: _sound(setup.scenario.folder / each.removeprefix("file:")) for each in recordings}
    return digest([_told(setup), sounds])


def _told(setup: Setup) -> list[Any]:
    devices = {name: each.model_dump(mode="json") for name, each in setup.devices.items()}
    return [setup.scenario.model_dump(mode="json"), devices, setup.cloud.model_dump(mode="json")]


def _sound(path: Path) -> str:
    return digest(read_sound(path).tolist())


def prepared(trial: Trial) -> Setup:
    """Load the play; raises ScenarioError, ConfigError, VoiceError."""
    about = trial.base
    return prepare(about.scenario, seed=trial.seed, profile=about.profile, cloud=about.cloud, overrides=trial.overrides)


def play(trial: Trial) -> dict[str, Any]:
    """Play it; gives `OUTCOMES`. Raises LabError where the files here are not what they were."""
    from sim.play.play import rehearse

    _must_be_the_same(trial.base)
    try:
        row = rehearse(prepared(trial))
    except (SimError, DeviceError, WakewordError) as error:
        return {**dict.fromkeys(OUTCOMES), "error": str(error)}
    finally:
        gc.collect()  # what knows each other in a play is few objects, so Python lets them lie, and 100 MB of models
    return {**row, "heard_by": ", ".join(row["heard_by"]), "error": None}


@cache
def _must_be_the_same(about: Base) -> None:
    if content(about) != about.content:
        raise LabError(f"{about.scenario} is not what it was when this began; put it back, or begin in another folder")
