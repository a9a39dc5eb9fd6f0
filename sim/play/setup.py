"""Everything a play depends on: the scenario, its devices' settings, and the far end's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from device.config import DeviceSettings, load_device
from sim.cloud.settings import CloudSettings, load_cloud
from sim.scenario import Scenario, device_settings, load_scenario
from sim.scenario.checks import profile_path

Overrides = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Setup:
    """A play before it begins; the same setup gives the same play. `devices` are in the order of the scenario."""

    scenario: Scenario
    devices: Mapping[str, DeviceSettings]
    cloud: CloudSettings

    def with_devices(self, section: str, **changes: object) -> Setup:
        """Give the same with settings of one section of every device changed."""
        changed = {
            name: each.model_copy(update={section: getattr(each, section).model_copy(update=changes)})
            for name, each in self.devices.items()
        }
        return replace(self, devices=changed)

    def with_cloud(self, section: str, **changes: object) -> Setup:
        """Give the same with settings of one section of the far end changed."""
        update = {section: getattr(self.cloud, section).model_copy(update=changes)}
        return replace(self, cloud=self.cloud.model_copy(update=update))


def prepare(
    name_or_path: str | Path,
    *,
    seed: int | None = None,
    profile: str | None = None,
    cloud: str | None = None,
    overrides: Overrides = (),
) -> Setup:
    """Load a scenario with its devices and far end; raises ScenarioError or ConfigError.

    `profile` and `cloud` go before the profiles that the scenario names. Keys of `overrides` that begin with ``cloud.``
    are the far end's, with ``scenario.`` the scenario's, and all others every device's.
    """
    ours = [("seed", str(seed))] if seed is not None else []
    scenario = load_scenario(name_or_path, [*_under("scenario.", overrides), *ours])
    theirs = [(key, value) for key, value in overrides if not key.startswith(("cloud.", "scenario."))]
    devices = {
        name: load_device(profile, [*theirs, ("name", name)]) if profile else device_settings(scenario, name, theirs)
        for name in scenario.devices
    }
    far_end = cloud or profile_path(scenario.cloud, scenario.folder)
    return Setup(scenario, devices, load_cloud(far_end, _under("cloud.", overrides)))


def _under(prefix: str, overrides: Overrides) -> list[tuple[str, str]]:
    return [(key.removeprefix(prefix), value) for key, value in overrides if key.startswith(prefix)]
