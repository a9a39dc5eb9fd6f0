"""Services put in and taken away. What was recorded, the keys and the configuration outlast both."""

from __future__ import annotations

import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from device import durable
from device.errors import DeviceError
from device.service.place import Place
from device.service.units import BROKER, DEVICE, FAR_END, Plan, render
from uplink.keyring import Keyring, introduce

USER = "misheard"
NAMES = (BROKER, FAR_END, DEVICE)
_CONFIGS = {DEVICE: "device.yaml", FAR_END: "far-end.yaml", BROKER: "mosquitto.conf"}


def version() -> int:
    """Give the version of systemd; raises DeviceError where there is none."""
    try:
        done = subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True)
        return int(re.findall(r"\d+", done.stdout)[0])
    except (OSError, subprocess.CalledProcessError, IndexError):
        raise DeviceError(
            "there is no systemd here, so no service can be installed; run misheard device by what starts programs here"
        ) from None


def install(plan: Plan, device: str) -> list[Path]:
    """Write units and, where there is none yet, configuration; give what was written. Raises DeviceError.

    Where device and far end are apart, `device`, by its name, and the far end get to know each other.
    """
    place, written = plan.place, []
    texts = {name: render(plan, name) for name in plan.names}  # or nothing is written
    try:
        for name in plan.names:
            place.at(place.config).mkdir(parents=True, exist_ok=True)
            config = place.at(place.config / _CONFIGS[name])
            if not config.exists():
                durable.write(config, files("configs").joinpath("systemd", _CONFIGS[name]).read_bytes())
                written.append(config)
        place.at(place.state).mkdir(parents=True, exist_ok=True, mode=0o700)
        if plan.apart:
            state = place.at(place.state)
            introduce(Keyring.of_device(state, device), Keyring.of_far_end(state / "far-end"))
        if place.system and place.root is None:
            _belong(place.state)
        place.at(place.units).mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            unit = place.at(place.units / f"{name}.service")
            durable.write(unit, text.encode())
            written.append(unit)
    except OSError as error:
        wish = "be root for SYSTEM=1 or --system" if place.system else "check the folder"
        raise DeviceError(f"{error.filename} cannot be written ({error.strerror}); {wish}") from None
    return written


def uninstall(place: Place) -> list[Path]:
    """Take the units away, and nothing else; give what was. Raises DeviceError."""
    units = [place.at(place.units / f"{name}.service") for name in NAMES]
    gone = [unit for unit in units if unit.exists()]
    try:
        for unit in gone:
            unit.unlink()
    except OSError as error:
        raise DeviceError(f"{error.filename} cannot be removed ({error.strerror}); be root for --system") from None
    return gone


def manage(place: Place, *words: str) -> None:
    """Have the manager do something; raises DeviceError with what it says."""
    try:
        done = subprocess.run([*place.systemctl, *words], capture_output=True, text=True, check=False)
    except OSError as error:
        raise DeviceError(f"systemctl cannot be run ({error.strerror}); install systemd") from None
    if done.returncode:
        why = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise DeviceError(f"{' '.join([*place.systemctl, *words])} failed: {why}")


def states(place: Place) -> dict[str, dict[str, str]]:
    """Give what the manager says of each unit that is installed."""
    wanted = ("ActiveState", "SubState", "UnitFileState", "StatusText", "NRestarts")
    found = {}
    for name in NAMES:
        if not place.at(place.units / f"{name}.service").exists():
            continue
        command = [*place.systemctl, "show", f"{name}.service", f"--property={','.join(wanted)}"]
        try:
            told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        except OSError:
            told = ""
        found[name] = dict(line.partition("=")[::2] for line in told.splitlines() if "=" in line)
    return found


def _belong(state: Path) -> None:
    """Make the user whom the services run as, and give him what he needs to write."""
    try:
        pwd.getpwnam(USER)
    except KeyError:
        _run(["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(state), USER])
    for path in (state, *state.rglob("*")):
        shutil.chown(path, USER, USER)


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, text=True, check=True)
    except OSError as error:
        raise DeviceError(f"{command[0]} cannot be run ({error.strerror}); make the user {USER} yourself") from None
    except subprocess.CalledProcessError as error:
        raise DeviceError(f"{' '.join(command)} failed: {' '.join(error.stderr.split())}") from None
