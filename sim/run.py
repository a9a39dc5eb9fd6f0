"""Playing a scenario: the home on one side, the device in the middle, the far end on the other."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from device.audio import ArraySource, Block, Pace
from device.command import Relay, stopped_by_signals
from device.config import DeviceSettings
from device.events import Stream
from device.firmware import Firmware
from device.rundir import Addressed, RunDirectory
from device.runtime import Observer
from device.session import Session, describe
from device.timeline import Timeline
from sim.cloud.embedded import embedded_far_end
from sim.cloud.recognizer import load_recognizer
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from sim.home.mixer import SpokenLine, mix
from sim.inprocess import run_in_process
from sim.narrator import Narrator
from sim.scenario import Scenario
from sim.speech.library import load_speech
from wakeword.models import LICENCE
from wakeword.scorer import ScorerGroup, load_scorers
from wakeword.sound import RATE
from wakeword.vad import VoiceActivity

Wire = Literal["inprocess", "mqtt"]


@dataclass(frozen=True)
class Play:
    """What is played, on which device, and who listens at the far end."""

    scenario: Scenario
    settings: DeviceSettings
    recognizer: str = "auto"
    wire: Wire = "inprocess"
    pace: Pace = "fast"


@dataclass(frozen=True)
class _Cast:
    """What both wires need: the stream, its sound, the ears, and who watches."""

    stream: Stream
    source: ArraySource
    scorers: ScorerGroup
    observer: Observer
    on_block: Callable[[Block], None]
    state: Path


def play(what: Play, out: Path, console: Console) -> dict[str, Any]:
    """Play a scenario and leave its run directory in `out`; gives the content of its `run.json`."""
    heard = mix(what.scenario, load_speech(what.scenario))
    scorers = load_scorers(what.settings.wake.words, what.settings.wake.engine)
    stream = Stream(what.settings.name, what.scenario.utc)
    record = RunDirectory(out, stream, scorers.names, keep_audio=True, addressed=addressed(heard.truth))
    for line in heard.truth:
        record.label(line.begin, line.end, f"{line.who}: {line.text}")
    console.print(f"{len(heard.samples) / RATE:.1f} s of sound; wake-word models: {LICENCE}", style="dim")
    source = ArraySource(heard.samples, what.pace, name=what.scenario.name)
    try:
        with Timeline(console) as timeline, tempfile.TemporaryDirectory(prefix="misheard-") as state:
            narrator = Narrator(heard.truth, [record.note, timeline.note])
            cast = _Cast(stream, source, scorers, narrator.note, record.hear, Path(state))
            (_over_mqtt if what.wire == "mqtt" else _in_process)(what, cast)
    finally:  # also of a run that is broken off
        written = record.close(
            {
                **describe(what.settings, scorers),
                "scenario": what.scenario.model_dump(mode="json"),
                "seed": what.scenario.seed,
                "sound": hashlib.sha256(heard.samples.astype("<i2").tobytes()).hexdigest(),
                "wire": what.wire,
            }
        )
    return written


def _in_process(what: Play, cast: _Cast) -> None:
    store = ClipStore(cast.state / "cloud")
    try:
        cloud = Cloud(store, load_recognizer(what.recognizer))
        firmware = Firmware(what.settings, cast.stream, cast.scorers, VoiceActivity())
        run_in_process(firmware, cast.source, cloud, [cast.observer], cast.on_block)
    finally:
        store.close()


def _over_mqtt(what: Play, cast: _Cast) -> None:
    relay = Relay()
    with embedded_far_end(cast.state, what.settings.name, relay, what.recognizer) as here:
        session = Session(
            what.settings,
            cast.stream,
            cast.source,
            cast.scorers,
            VoiceActivity(),
            here.url,
            cast.state,
            what.pace,
            [cast.observer],
            cast.on_block,
        )
        relay.to = session.runtime.tell
        with stopped_by_signals(session) as signals:
            session.play(here.wait_answered)
    if signals:
        raise KeyboardInterrupt


def addressed(truth: tuple[SpokenLine, ...]) -> Addressed:
    """Give a test of whether a stretch of samples lies in a line that was said to the device."""
    return lambda begin, end: any(line.addressed and line.begin < end and begin < line.end for line in truth)
