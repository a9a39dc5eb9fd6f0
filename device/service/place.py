"""Where services are put: for the whole machine, or for one user; or below another root, to look at or to pack."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """The folders of an installation as the services see them; `at` says where each lies for whoever installs."""

    system: bool
    units: Path
    config: Path
    state: Path
    root: Path | None = None

    @classmethod
    def of_system(cls, root: Path | None = None) -> Place:
        """Give that of the machine."""
        return cls(True, Path("/etc/systemd/system"), Path("/etc/misheard"), Path("/var/lib/misheard"), root)

    @classmethod
    def of_user(cls, root: Path | None = None) -> Place:
        """Give that of the user who asks."""
        import platformdirs

        config = platformdirs.user_config_path()
        units, own = config / "systemd" / "user", config / "misheard"
        return cls(False, units, own, platformdirs.user_data_path("misheard"), root)

    @classmethod
    def of_caller(cls, system: bool, user: bool, root: Path | None = None) -> Place:
        """Give that of the machine to root or who wants it, and else the user's."""
        return cls.of_system(root) if system or (not user and os.geteuid() == 0) else cls.of_user(root)

    def at(self, path: Path) -> Path:
        """Where a path of this place lies now."""
        return path if self.root is None else self.root / path.relative_to("/")

    @property
    def systemctl(self) -> list[str]:
        """The command that speaks to the manager of this place."""
        return ["systemctl"] if self.system else ["systemctl", "--user"]


def program() -> Path:
    """Give the ``misheard`` of this installation."""
    return Path(sys.prefix) / "bin" / "misheard"


def seen_by_programs() -> list[Path]:
    """Give the folders that the program needs and that a service without homes does not see."""
    here = Path(__file__).resolve().parents[2]
    needed = dict.fromkeys(Path(path).resolve() for path in (here, sys.prefix, sys.base_prefix))
    outer = [path for path in needed if not any(path != other and path.is_relative_to(other) for other in needed)]
    return [path for path in outer if path.parts[1:2] in (("home",), ("root",)) or path.is_relative_to("/run/user")]
