"""A second look learned from shipped speech that wakes the real device, and more such speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from device.config import DeviceSettings
from device.events import Event
from device.firmware import Firmware
from device.second_looks import load_second_looks
from sim.review.feedback.examples import Example, example_of
from sim.review.feedback.regression import fit
from sim.speech.manifest import read_manifest, shipped_folder
from tests.firmware_kit import STREAM, Sound, clip_of, hear, kinds, settings_of
from uplink.message import JSON
from wakeword.features import Features
from wakeword.models import EMBEDDING, shared_model
from wakeword.scorer import ScorerGroup, load_scorer, load_scorers
from wakeword.second_look import Learned
from wakeword.sound import read_sound
from wakeword.vad import VoiceActivity

CALLS = (
    "Alexa, set a timer for ten minutes.",
    "Alexa, set the volume to four.",
    "Alexa, delete everything I said today.",
    "Alexa, send a message to Stephanie.",
)
OTHERS = (
    "Lexus money, that is what a real bamboo steamer costs.",
    "People accept that. I set a timer for ten minutes, and I make my own.",
    "Unacceptable, to leave even one of them.",
    "A lecture about oak. How long it has to rest.",
    "Unacceptable, for that money.",
)
NEW_CALLS = ("Alexa, what time is it?", "Alexa, send a message to Alexis.")
NEW_OTHERS = ("A lecture about opening windows.",)


def line(text: str, phase: int = 0) -> Sound:
    """A shipped line with silence around it, so many samples later against the hops."""
    (found,) = [one for one in read_manifest(shipped_folder()).values() if one.text == text][:1]
    sound = read_sound(shipped_folder() / found.file)
    return np.concatenate([np.zeros(40_000 + phase, np.int16), sound, np.zeros(24_000, np.int16)])


def opened(events: Sequence[Event]) -> tuple[str, Mapping[str, JSON], int, Sound]:
    """The one clip in these events: its id, its opening facts, its begin and its sound."""
    (begin,) = kinds(events, "capture_begin")
    clip = str(begin.facts["clip"])
    first = next(event for event in kinds(events, "part") if event.facts["number"] == 0)
    facts = first.facts["facts"]
    assert isinstance(facts, dict)
    at = first.facts["begin"]
    assert isinstance(at, int)
    return clip, facts, at, clip_of(events, clip)


@cache
def examples() -> tuple[list[Example], list[bool]]:
    """What woke it, and whether it was called."""
    features, scorer = Features(), load_scorer("alexa")
    found, spoken = [], []
    for text, call in [*((text, True) for text in CALLS), *((text, False) for text in OTHERS)]:
        for phase in (0, 640):
            firmware = plain_firmware()
            events = hear(firmware, line(text, phase)) + firmware.finish()
            example = example_of(*opened(events), features, scorer)
            assert example is not None
            found.append(example)
            spoken.append(call)
    return found, spoken


@cache
def shipped_verifier() -> Learned:
    """Learned from `CALLS` and `OTHERS`, nearly by heart: so few lines are too few for anything else."""
    found, spoken = examples()
    values = np.stack([each.embeddings.ravel() for each in found]).astype(np.float64)
    fitted = fit(values, np.array(spoken), strength=10.0)
    about = {"format": 1, "word": "alexa", "model": found[0].model, "embedding": shared_model(EMBEDDING).sha256}
    return Learned(fitted.weights.reshape(found[0].embeddings.shape), fitted.bias, 0.5, about)


def verifier_file(folder: Path, learned: Learned | None = None) -> Path:
    """It as a file."""
    file = folder / "verifier.npz"
    file.write_bytes((learned or shipped_verifier()).as_bytes())
    return file


@cache
def scorers() -> ScorerGroup:
    """Loaded once; a firmware at a time may have them."""
    return load_scorers(("alexa",))


def plain_firmware() -> Firmware:
    """The firmware with its real models."""
    scorers().reset()
    return Firmware(settings_of(), STREAM, scorers(), VoiceActivity())


def judging_firmware(file: Path) -> Firmware:
    """The same with a second look."""
    scorers().reset()
    settings: DeviceSettings = settings_of(wake={"verifier": str(file)})
    return Firmware(settings, STREAM, scorers(), VoiceActivity(), load_second_looks(settings.wake, scorers()))
