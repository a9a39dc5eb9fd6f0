"""Silero's detector: speech is speech, silence and noise are not, and the stream is deterministic."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wakeword import HOP, ModelError, SoundError
from wakeword.models import ModelFile
from wakeword.sound import Samples, read_sound
from wakeword.vad import VoiceActivity


@pytest.fixture(scope="module")
def spoken(needs: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Samples:
    path = tmp_path_factory.mktemp("spoken") / "spoken.wav"
    words = "A collection of oak samples, and the glue has to be flexible."
    subprocess.run([needs("flite"), "-voice", "slt", "-t", words, "-o", path], check=True)
    samples = read_sound(path)
    return samples[: len(samples) // HOP * HOP]


def test_speech_stands_out_from_silence_and_noise(spoken: Samples) -> None:
    quiet = np.random.default_rng(1).normal(0, 30, 30 * HOP).astype(np.int16)
    chances = VoiceActivity().push(np.concatenate([quiet, spoken, quiet]))
    speech = chances[30 : 30 + len(spoken) // HOP]
    assert np.median(speech) > 0.8
    assert chances[:30].max() < 0.3
    assert chances[-15:].max() < 0.3
    assert np.all((chances >= 0) & (chances <= 1))


def test_a_recorded_word_is_speech(recordings: list[Samples]) -> None:
    for samples in recordings:
        assert VoiceActivity().push(samples[: len(samples) // HOP * HOP]).max() > 0.8


def test_digital_silence_is_none() -> None:
    assert VoiceActivity().push(np.zeros(50 * HOP, np.int16)).max() < 0.3


def test_any_portions_and_a_reset_give_the_same(spoken: Samples) -> None:
    activity = VoiceActivity()
    whole = activity.push(spoken)
    assert whole.shape == (len(spoken) // HOP,)
    assert whole.dtype == np.float32
    activity.reset()
    pieces = [activity.push(hop) for hop in spoken.reshape(-1, HOP)]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal(VoiceActivity().push(spoken), whole)


def test_only_whole_hops_are_taken() -> None:
    with pytest.raises(SoundError, match="not whole hops"):
        VoiceActivity().push(np.zeros(HOP + 1, np.int16))
    assert VoiceActivity().push(np.zeros(0, np.int16)).shape == (0,)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vad.onnx"
    path.write_text("no model")
    with pytest.raises(ModelError, match="is not an ONNX model that can run"):
        VoiceActivity(ModelFile("vad", path))
    with pytest.raises(ModelError, match="cannot be read"):
        VoiceActivity(ModelFile("vad", tmp_path / "nowhere.onnx"))
