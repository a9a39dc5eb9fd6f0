"""What a device hears just now: level and scores, in a small file beside its run, written over at each hop.

The events of a run say what happened; this is for whoever looks on while it does. It is there only while the run lasts.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from device.audio import Block
from device.events import Event, Kind

FILE = "now.json"
SIZE = 2048
"""Bytes, always: so it is written over in place, and whoever reads sees one state."""
_FULL_SCALE = 32_768.0
_SILENCE_DBFS = -100.0


class Gauge:
    """An observer of a device that is played in real time. Where it cannot write, it stays silent: it is no record."""

    def __init__(self, folder: Path, device: str, words: tuple[str, ...], thresholds: Mapping[str, float]) -> None:
        """Take the run directory, which is there, the device's name, and its wake words with their thresholds."""
        self._path, self._device = folder / FILE, device
        self._words, self._thresholds = words, {word: thresholds[word] for word in words}
        self._dbfs = _SILENCE_DBFS
        try:
            self._file: int | None = os.open(self._path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        except OSError:
            self._file = None

    def hear(self, block: Block) -> None:
        """Take what the microphone heard."""
        power = float(np.mean(np.square(block.samples, dtype=np.float64))) / _FULL_SCALE**2 if len(block.samples) else 0
        self._dbfs = max(_SILENCE_DBFS, 10 * math.log10(power)) if power else _SILENCE_DBFS

    def note(self, event: Event) -> None:
        """Take an event, in order."""
        if event.kind != Kind.HOP or self._file is None:
            return
        scores: list[float] = event.facts["scores"]  # type: ignore[assignment]
        now = {
            "device": self._device,
            "sample": event.sample,
            "dbfs": round(self._dbfs, 1),
            "scores": {word: round(score, 4) for word, score in zip(self._words, scores, strict=True)},
            "thresholds": self._thresholds,
        }
        line = json.dumps(now).encode()
        try:
            os.pwrite(self._file, line.ljust(SIZE - 1)[: SIZE - 1] + b"\n", 0)
        except OSError:
            self.close()

    def close(self) -> None:
        """Take the file away."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        with suppress(OSError):  # of a disk that takes no more, or is not there
            self._path.unlink()
