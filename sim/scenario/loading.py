"""Finds scenarios by name or file, and says what is wrong with one by file and line."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from device.config import DeviceSettings, load_device
from device.errors import ConfigError
from device.yaml_model import SettingFault, load_yaml_model, located
from sim.errors import ScenarioError
from sim.scenario.checks import profile_path
from sim.scenario.scenario import Scenario


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
        return load_yaml_model(path, Scenario, overrides, context=path)
    except ConfigError as error:
        raise ScenarioError(str(error)) from None


def scenario_error(scenario: Scenario, fault: SettingFault) -> ScenarioError:
    """The error for something that shows only later, with file and line where the scenario came from a file."""
    if scenario.file is None:
        return ScenarioError(f"{'.'.join(map(str, fault.at))} is {fault.value!r}: {fault}")
    return ScenarioError(located(scenario.file, fault))


def device_settings(scenario: Scenario, name: str, overrides: Sequence[tuple[str, str]] = ()) -> DeviceSettings:
    """The settings of one of the scenario's devices: its profile, under its name there; raises ScenarioError."""
    profile = profile_path(scenario.devices[name].profile, scenario.folder)
    try:
        return load_device(profile, [*overrides, ("name", name)])
    except ConfigError as error:
        raise ScenarioError(str(error)) from None
