"""The text of the units, from the templates in configs/systemd."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from device.errors import ConfigError
from device.service.place import Place

DEVICE, FAR_END, BROKER = "misheard-device", "misheard-far-end", "misheard-broker"
_FOLLOWS = {DEVICE: f"{BROKER}.service {FAR_END}.service", FAR_END: f"{BROKER}.service", BROKER: ""}
OLDEST = 252
"""The version of systemd that any other is taken for: that of Debian 12."""
_SLOWER_SINCE = 254
"""The version of systemd that waits ever longer before it tries again (RestartSteps)."""
_LOCAL = ("embedded", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Plan:
    """What is to run. `broker`: embedded, or a URL; `apart`: far end and Mosquitto as services of their own.

    `tls`: a folder with ca.pem, cert.pem and key.pem, which systemd hands to the device as credentials. `home`: the
    broker of the home, which the device speaks to as well; `pins`: whether it has a light or a button on pins.
    """

    place: Place
    program: Path
    see: Sequence[Path] = ()
    broker: str = "embedded"
    apart: bool = False
    tls: Path | None = None
    mosquitto: Path = Path("/usr/sbin/mosquitto")
    systemd: int = OLDEST
    home: str | None = None
    pins: bool = False

    @property
    def names(self) -> list[str]:
        """The units, in the order in which they start."""
        return [BROKER, FAR_END, DEVICE] if self.apart else [DEVICE]

    @property
    def url(self) -> str:
        """Where the device finds its broker."""
        return "mqtt://127.0.0.1" if self.apart else self.broker

    @property
    def is_local(self) -> bool:
        """Whether all of it runs on this machine."""
        return all(url in _LOCAL or urlsplit(url).hostname in _LOCAL for url in (self.url, self.home or "embedded"))


def render(plan: Plan, name: str) -> str:
    """Give the text of a unit; raises ConfigError for a path that a unit cannot name."""
    place = plan.place
    devices = "SupplementaryGroups=audio\n" + _template("devices.conf") + (_template("pins.conf") if plan.pins else "")
    tls = plan.tls is not None and name == DEVICE
    words: dict[str, str] = {
        "SCOPE": _template("scope-system.conf") if place.system else "",
        "DEVICES": devices if place.system else "",
        "NO_DEVICES": _template("no-devices.conf") if place.system else "",
        "NETWORK": _template("network-local.conf") if plan.is_local and place.system else "",
        "HARDENING": _template("hardening.conf") + (_template("hardening-system.conf") if place.system else ""),
        "RESTART": _template("restart.conf")
        + (_template("restart-slower.conf") if plan.systemd >= _SLOWER_SINCE else ""),
        "CREDENTIALS": _credentials(plan.tls) if tls and plan.tls else "",
    }
    words |= {
        "TLS": _TLS if tls else "",
        "BIND": "".join(f"BindReadOnlyPaths={_word(path)}\n" for path in plan.see),
        "AFTER": _FOLLOWS[name] if plan.apart else "",
        "MISHEARD": _word(plan.program),
        "MOSQUITTO": _word(plan.mosquitto),
        "BROKER": _word(plan.url),
        "STATE": _word(place.state),
        "CONFIG": _word(place.config),
        "TARGET": "multi-user.target" if place.system else "default.target",
    }
    return _tidy(_fill(_fill(_template(f"{name}.service"), words), words))


_TLS = "--set uplink.ca_file=%d/ca.pem --set uplink.certificate_file=%d/cert.pem --set uplink.key_file=%d/key.pem"


def _credentials(folder: Path) -> str:
    return "".join(f"LoadCredential={name}:{_word(folder / name)}\n" for name in ("ca.pem", "cert.pem", "key.pem"))


def _fill(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z_]+)@", lambda match: words.get(match[1], match[0]).strip(), text)


def _tidy(text: str) -> str:
    """Take away what stayed empty: spaces at the end of a line, ``After=`` of nothing, and lines without words."""
    lines = [re.sub(r" +", " ", line).rstrip() if "Exec" in line else line.rstrip() for line in text.split("\n")]
    kept = [line for line in lines if line not in ("After=", "")]
    return re.sub(r"\n(?=\[)", "\n\n", "\n".join(kept)) + "\n"


def _template(name: str) -> str:
    return files("configs").joinpath("systemd", name).read_text("utf-8")


def _word(path: Path | str) -> str:
    """A path, or an address, as a unit names it, where a space parts words and a percent sign begins what is put in."""
    text = str(path)
    if re.search(r"[\s\"'\\$;]", text):
        raise ConfigError(f"{text} has a character that a unit of systemd cannot name; choose another")
    return text.replace("%", "%%")
