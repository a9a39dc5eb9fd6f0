"""What the lab counts is what the device does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio import Block
from device.config import load_device
from device.ear import trigger_settings
from device.events import Kind
from device.firmware import Firmware
from sim.lab.conditions import LEAD, Condition, heard
from sim.lab.tally import load_engine, scored
from sim.lab.wakes import wakes
from sim.speech.manifest import shipped_folder
from tests.firmware_kit import STREAM, hear
from tests.verifier_kit import judging_firmware, line, verifier_file
from wakeword.frames import HOP, whole_hops
from wakeword.scored_file import hop_end
from wakeword.scorer import load_scorers
from wakeword.sound import read_sound
from wakeword.trigger import Trigger, TriggerSettings
from wakeword.vad import VoiceActivity

SCORES = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.39, 0.4, 0.5, 0.9])), min_size=1, max_size=120)


@given(SCORES, st.floats(0.05, 1), st.integers(1, 3), st.floats(0, 0.5), st.integers(0, 40))
def test_passing_over_quiet_hops_changes_nothing(
    scores: list[float], threshold: float, patience: int, hysteresis: float, refractory: int
) -> None:
    settings = TriggerSettings(threshold, patience, hysteresis, refractory * HOP)
    trigger, every = Trigger(settings), np.array(scores, np.float32)
    pushed = [trigger.push(float(score), hop_end(hop)) for hop, score in enumerate(every)]
    assert wakes(every, settings) == [each.sample for each in pushed if each is not None and each.woke]


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_the_firmware_wakes_where_the_lab_says(threshold: float) -> None:
    """Also where it refuses to, as it listens already: the detector has fired all the same."""
    said = ["slt-alexa-what-time-is-it-586e4f07", "rms-unacceptable-that-weather-c284447d", "slt-cancel-99aba403"]
    lines = [read_sound(shipped_folder() / f"{name}.flac") for name in said]
    sound = whole_hops(heard(np.concatenate([*lines, np.zeros(20 * HOP, np.int16), *lines]), Condition(), 0, 0))
    settings = load_device(overrides=[("wake.threshold", str(threshold)), ("wake.refractory_ms", "800")])
    scorers = load_scorers(["alexa"])
    firmware = Firmware(settings, STREAM, scorers, VoiceActivity())
    events = [
        event for begin in range(0, len(sound), 4000) for event in firmware.hear(Block(begin, sound[begin:][:4000]))
    ]
    fired = [event.sample for event in events if event.kind in (Kind.WAKE, Kind.WAKE_REFUSED)]
    found = wakes(scorers.score(sound)[:, 0], trigger_settings(settings.wake, threshold))
    assert found == fired
    assert len(found) >= 2
    assert min(found) > LEAD


@pytest.mark.parametrize("text", ["Unacceptable, for that money.", "Alexa, what time is it?"])
def test_a_second_look_judges_in_the_lab_as_it_does_in_the_device(text: str, tmp_path: Path) -> None:
    """The device, as it listens after a wake, looks again at nothing; the one wake of a line is what is compared."""
    path = verifier_file(tmp_path)
    sound = whole_hops(line(text))
    settings = load_device(overrides=[("wake.verifier", str(path))]).wake
    engine = load_engine("openwakeword", "alexa", settings)
    assert engine.look is not None
    ((_, scores, passes),) = scored([sound], [engine], lambda _s: None)
    found = wakes(scores, trigger_settings(settings, engine.threshold), passes)
    without = wakes(scores, trigger_settings(settings, engine.threshold))
    fired = [event.sample for event in hear(judging_firmware(path), sound) if event.kind == Kind.WAKE]
    assert found == fired
    assert len(without) == 1
    assert bool(found) == text.startswith("Alexa")
