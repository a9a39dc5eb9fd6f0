"""What a device writes down of itself with ``--out``: its run, or runs, and what it hears just now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from device.audio import Block
from device.config import DeviceSettings
from device.ear import thresholds
from device.events import Stream
from device.gauge import Gauge
from device.rolling import RollingRuns, Tell
from device.rundir import RunDirectory
from device.runtime import Observer
from uplink.message import JSON
from wakeword.scorer import ScorerGroup


class Records:
    """One run directory, or one after the other where `keep.run_hours` says so; without a folder nothing at all.

    `keep` and `manifest` may be replaced at any time.
    """

    def __init__(
        self,
        out: Path | None,
        settings: DeviceSettings,
        stream: Stream,
        scorers: ScorerGroup,
        tell: Tell,
        *,
        live: bool,
        keep_audio: bool,
    ) -> None:
        """Begin to write; `live`: in real time, so that there is somebody to look on. Raises DeviceError."""
        self.keep = settings.keep
        self.manifest: Mapping[str, JSON] = {}
        self.rolling = out is not None and settings.keep.run_hours is not None
        self._runs: RunDirectory | RollingRuns | None = None
        self._gauge: Gauge | None = None
        self._hearers: list[Callable[[Block], None]] = []
        self.observers: Sequence[Observer] = ()
        if out is None:
            return
        if self.rolling:
            self._runs = RollingRuns(
                out, stream, scorers.names, lambda: self.keep, lambda: self.manifest, tell, keep_audio=keep_audio
            )
        else:
            self._runs = RunDirectory(out, stream, scorers.names, keep_audio=keep_audio)
        self.observers, self._hearers = [self._runs.note], [self._runs.hear]
        if live and not self.rolling:  # which is for a card that should be written to seldom
            self._gauge = Gauge(out, settings.name, scorers.names, thresholds(settings.wake, scorers))
            self.observers, self._hearers = [self._runs.note, self._gauge.note], [self._runs.hear, self._gauge.hear]

    @property
    def on_block(self) -> Callable[[Block], None] | None:
        """Who takes what the microphone heard."""
        return self._hear if self._hearers else None

    def _hear(self, block: Block) -> None:
        for hear in self._hearers:
            hear(block)

    def close(self) -> dict[str, Any] | None:
        """End it all; gives the content of the last `run.json`. Raises DeviceError where the disk did not take it."""
        if self._gauge is not None:
            self._gauge.close()
        if self._runs is None:
            return None
        return self._runs.close() if isinstance(self._runs, RollingRuns) else self._runs.close(self.manifest)
