"""What the doctor finds, and where it looks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from device.config import DeviceSettings

Level = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `note`: as it can be, but worth knowing; `mend`: what to do about it."""

    topic: str
    level: Level
    text: str
    mend: str = ""


@dataclass(frozen=True)
class Patient:
    """Who is looked at: a device by its settings and state, on a machine whose files begin at `root`."""

    settings: DeviceSettings
    state: Path
    broker: str
    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def file(self, path: str) -> Path:
        """A file of the machine, by its path from the root."""
        return self.root / path.lstrip("/")

    def text(self, path: str) -> str | None:
        """What stands in a file of the machine; None where that cannot be read."""
        try:
            return self.file(path).read_text("utf-8", "replace").strip("\n\0 ")
        except OSError:
            return None


def sentence(topic: str, error: Exception) -> Finding:
    """A sentence of an error, which ends in its mend after a semicolon, as a finding."""
    text, _, mend = str(error).partition("; ")
    return Finding(topic, "wrong", text, mend)
