"""A play with its run directory, told on the terminal as it goes; or for its outcome alone."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from device.audio import Block, Pace
from device.ear import thresholds
from device.gauge import Gauge
from device.rundir import DEVICES, RunDirectory
from device.second_looks import describe_verifier
from device.timeline import Timeline
from sim.cloud.memory import Remembering
from sim.cloud.recognizer import Recognizer, load_recognizer
from sim.play.outcome import Outcome
from sim.play.pace import RealPace
from sim.play.setup import Setup
from sim.play.stage import Stage, WireName
from sim.speech.library import load_speech
from uplink.message import JSON
from wakeword.models import LICENCE


def play(
    setup: Setup,
    out: Path,
    console: Console,
    wire: WireName = "inprocess",
    pace: Pace = "fast",
    memory: Path | None = None,
    store: Path | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Play a scenario; leaves the first device's run directory in `out`, and the others' under ``devices`` there.

    Gives the content of `run.json`, and `Outcome.row`. What was heard is written down also where this is broken off.
    What the recognizer hears is kept in the folder `memory`, for `rehearse`; what the far end stores, in the folder
    `store`, or nowhere.
    """
    stage = Stage(setup, load_speech(setup.scenario))
    outcome = Outcome(stage.truth)
    console.print(f"wake-word models: {LICENCE}", style="dim")
    with ExitStack() as stack:
        records = _Records(stage, out, wire, pace)
        stack.callback(records.close)
        timeline = stack.enter_context(Timeline(console))
        state = stack.enter_context(tempfile.TemporaryDirectory(prefix="misheard-"))
        watch = {
            name: [
                *(record.note, timeline.other(name) if number else timeline.note, outcome.note),
                *([records.gauges[name].note] if name in records.gauges else []),
            ]
            for number, (name, record) in enumerate(records.records.items())
        }
        wait = RealPace() if pace == "real" else lambda _clock: None
        stage.play(_recognizer(setup, memory, eager=True), wire, Path(state), watch, records.hear, wait, store)
    return records.written, outcome.row()


def rehearse(setup: Setup, memory: Path | None = None) -> dict[str, Any]:
    """Play a scenario in process for its outcome alone; gives `Outcome.row`.

    A clip that is in the `memory` of an earlier play need not be listened to again.
    """
    with tempfile.TemporaryDirectory(prefix="misheard-") as state:
        stage = Stage(setup, load_speech(setup.scenario))
        outcome = Outcome(stage.truth)
        recognizer = _recognizer(setup, memory, eager=False)
        stage.play(recognizer, "inprocess", Path(state), {name: [outcome.note] for name in setup.devices})
    return outcome.row()


def _recognizer(setup: Setup, memory: Path | None, *, eager: bool) -> Recognizer:
    ears = setup.cloud.ears
    recognizer = load_recognizer(ears.recognizer, ears=ears)
    return recognizer if memory is None else Remembering(recognizer, ears, memory, eager=eager)


class _Records:
    """The run directories of a play."""

    def __init__(self, stage: Stage, out: Path, wire: WireName, pace: Pace) -> None:
        self._stage, self._wire = stage, wire
        self.written: dict[str, Any] = {}
        self.records: dict[str, RunDirectory] = {}
        self.gauges: dict[str, Gauge] = {}
        self._sound = {name: hashlib.sha256() for name in stage.streams}
        for name, stream in stage.streams.items():
            folder = out / DEVICES / name if self.records else out
            words = stage.scorers[name].names
            self.records[name] = RunDirectory(
                folder, stream, words, keep_audio=True, addressed=stage.truth.addressed, meant=stage.truth.meant
            )
            if pace == "real":
                wake = stage.setup.devices[name].wake
                self.gauges[name] = Gauge(folder, name, words, thresholds(wake, stage.scorers[name]))

    def hear(self, device: str, block: Block) -> None:
        """Keep what a device heard."""
        self.records[device].hear(block)
        if device in self.gauges:
            self.gauges[device].hear(block)
        self._sound[device].update(block.samples.astype("<i2").tobytes())

    def close(self) -> None:
        """Complete them: the first last, as it tells of all."""
        for gauge in self.gauges.values():
            gauge.close()
        for record in self.records.values():
            for line in self._stage.truth.lines():
                record.label(line.begin, line.end, f"{line.who}: {line.text}")
        first, *others = self.records
        runs = {name: self.records[name].close(self._manifest(name)) for name in others}
        everything: dict[str, Any] = {}
        if runs:
            everything["devices"] = {name: {key: run[key] for key in ("wakes", "clips")} for name, run in runs.items()}
            everything["messages"] = self.records[first].messages + [
                m for run in runs.values() for m in run["messages"]
            ]
            everything["deleted"] = self.records[first].deleted + [c for run in runs.values() for c in run["deleted"]]
        self.written = self.records[first].close(self._manifest(first), **everything)

    def _manifest(self, name: str) -> Mapping[str, JSON]:
        setup, scorers = self._stage.setup, self._stage.scorers[name]
        settings = setup.devices[name]
        return {
            "device": settings.model_dump(mode="json"),
            "engine": scorers.engine,
            "models": dict(zip(scorers.names, scorers.hashes, strict=True)),
            "thresholds": thresholds(settings.wake, scorers),
            **describe_verifier(settings.wake),
            "scenario": setup.scenario.model_dump(mode="json"),
            "cloud": setup.cloud.model_dump(mode="json"),
            "seed": setup.scenario.seed,
            "sound": self._sound[name].hexdigest(),
            "clipped": self._stage.home.clipped[name],
            "wire": self._wire,
        }
