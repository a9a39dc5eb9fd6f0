"""Ours against openWakeWord's own graphs, run as the package runs them, and against the package itself."""

from __future__ import annotations

import io
import platform
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from wakeword import HOP, ModelError, load_scorers
from wakeword.features import Features, FeatureStream
from wakeword.frames import FRAME_STEP, FRAMES_PER_HOP, HISTORY, MEL_BANDS, WINDOW_FRAMES
from wakeword.graphs import mel_constants, streaming_embedding
from wakeword.models import EMBEDDING, MELSPECTROGRAM, NAMES, find_model, shared_model
from wakeword.session import Session
from wakeword.sound import Samples

Floats = NDArray[np.float32]

SAME = 0.0 if platform.machine() == "x86_64" else 1e-5
"""How much of its size a float may differ: onnxruntime's kernels for Arm add up in another order in another shape."""


@pytest.fixture(scope="module")
def features() -> Features:
    return Features()


@pytest.fixture(scope="module")
def original_mel() -> Callable[[Samples], Floats]:
    """int16[h, 1760] -> float32[8 h, 32], called hop by hop as openWakeWord calls it."""
    session = Session(shared_model(MELSPECTROGRAM).data, "the front end")

    def run(hops: Samples) -> Floats:
        frames = [session.run({"input": hop[None].astype(np.float32)})[0] for hop in hops]
        return np.concatenate(frames).reshape(-1, MEL_BANDS) / np.float32(10) + np.float32(2)

    return run


@pytest.fixture(scope="module")
def original_embedding() -> Callable[[Floats], Floats]:
    """float32[8 h, 32] mel frames -> the embeddings float32[h - 9, 96] of all whole windows, one window a call."""
    session = Session(shared_model(EMBEDDING).data, "the embedding")

    def run(mel: Floats) -> Floats:
        ends = range(-(-WINDOW_FRAMES // FRAMES_PER_HOP) * FRAMES_PER_HOP, len(mel) + 1, FRAMES_PER_HOP)
        windows = [mel[end - WINDOW_FRAMES : end] for end in ends]
        return np.concatenate([session.run({"input_1": each[None, :, :, None]})[0].reshape(1, 96) for each in windows])

    return run


def _with_history(samples: Samples) -> Samples:
    """int16[n] -> int16[n // 1280, 1760]."""
    seen = np.concatenate([np.zeros(HISTORY, np.int16), samples[: len(samples) // HOP * HOP]])
    return np.lib.stride_tricks.sliding_window_view(seen, HISTORY + HOP)[::HOP]


def _chirp() -> Floats:
    return 20_000 * np.sin(2 * np.pi * np.cumsum(np.linspace(50, 7800, 30 * HOP)) / 16_000)


@pytest.fixture(scope="module")
def sounds(speech_like: Callable[[int, int], Samples]) -> list[Samples]:
    rng = np.random.default_rng(1)
    noise = rng.integers(-32768, 32768, 30 * HOP).astype(np.int16)
    click = np.zeros(20 * HOP, np.int16)
    click[:: 3 * HOP // 2] = 32767
    chirp = (_chirp() + rng.normal(0, 200, 30 * HOP)).astype(np.int16)
    return [speech_like(21, 60 * HOP), noise, chirp, click, np.zeros(12 * HOP, np.int16)]


def test_mel_frames_are_the_front_ends(
    features: Features, original_mel: Callable[[Samples], Floats], sounds: list[Samples]
) -> None:
    for samples in sounds:
        hops = _with_history(samples)
        np.testing.assert_allclose(features.mel.frames(hops), original_mel(hops), atol=1e-4)


def test_where_rounding_is_all_there_is_ours_is_no_worse(
    features: Features, original_mel: Callable[[Samples], Floats]
) -> None:
    """In bands 80 dB under a pure tone without any noise, float32 leaves an error of some 0.003, in both."""
    hops = _with_history(_chirp().astype(np.int16))
    with np.load(io.BytesIO(mel_constants(shared_model(MELSPECTROGRAM).data))) as constants:
        window, filters = constants["window"].astype(np.float64), constants["filters"].astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(hops.astype(np.float64), 512, axis=1)[:, ::FRAME_STEP]
    level = np.log10(np.maximum(np.abs(np.fft.rfft(frames * window)) ** 2 @ filters, 1e-10))
    exact = (np.maximum(level, level.max(axis=(1, 2), keepdims=True) - 8) + 2).reshape(-1, MEL_BANDS)
    ours, theirs = (np.abs(made - exact).max() for made in (features.mel.frames(hops), original_mel(hops)))
    assert ours < 1.5 * theirs < 0.01


@pytest.mark.parametrize("tile", [1, 7, 60])
def test_the_streaming_network_gives_the_very_floats(
    tile: int, features: Features, original_embedding: Callable[[Floats], Floats]
) -> None:
    mel = np.random.default_rng(2).normal(0, 3, (60 * FRAMES_PER_HOP, MEL_BANDS)).astype(np.float32)
    state, embeddings = features.silence_state, []
    for part in np.split(mel, range(tile * FRAMES_PER_HOP, len(mel), tile * FRAMES_PER_HOP)):
        new, state = features.step(part, state)
        embeddings.append(new)
    ours, theirs = np.concatenate(embeddings)[9:], original_embedding(mel)
    assert ours.shape == theirs.shape == (51, 96)
    assert np.abs(ours - theirs).max() <= SAME * np.abs(theirs).max()


def test_silence_is_what_the_original_makes_of_silence(
    features: Features, original_mel: Callable[[Samples], Floats], original_embedding: Callable[[Floats], Floats]
) -> None:
    mel = original_mel(_with_history(np.zeros(10 * HOP, np.int16)))
    theirs = original_embedding(mel)[0]
    assert np.abs(features.silence - theirs).max() <= SAME * np.abs(theirs).max()


def test_embeddings_of_sound_agree_to_1e_5_of_their_size(
    features: Features,
    original_mel: Callable[[Samples], Floats],
    original_embedding: Callable[[Floats], Floats],
    sounds: list[Samples],
) -> None:
    for samples in sounds:
        theirs = original_embedding(original_mel(_with_history(samples)))
        ours = FeatureStream(features).push(samples)[9:]
        assert np.abs(theirs).max() > 10
        assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max()


def test_scores_are_the_packages(sounds: list[Samples]) -> None:
    samples = np.concatenate(sounds)
    ours, theirs = load_scorers(NAMES), load_scorers(NAMES, "reference")
    start = theirs.warm_up_hops
    assert theirs.names == ours.names
    assert theirs.hashes == ours.hashes
    assert start == ours.warm_up_hops
    np.testing.assert_allclose(ours.score(samples)[start:], theirs.score(samples)[start:], atol=1e-4)


def test_scores_of_recordings_are_the_packages_from_hop_26_on(recordings: list[Samples]) -> None:
    ours, theirs = load_scorers(["alexa"]), load_scorers(["alexa"], "reference")
    assert ours.warm_up_hops == theirs.warm_up_hops == 25
    quiet = np.zeros(26 * HOP, np.int16)
    for samples in recordings:
        late = np.concatenate([quiet, samples])
        score = ours.score(late)
        assert score[25:].max() > 0.5
        np.testing.assert_allclose(score[25:], theirs.score(late)[25:], atol=1e-4)


def test_the_reference_streams_and_forgets(speech_like: Callable[[int, int], Samples]) -> None:
    group, samples = load_scorers(["alexa", "hey_jarvis"], "reference"), speech_like(22, 40 * HOP)
    bulk = group.score(samples)
    assert group.warming_up
    assert bulk.shape == (40, 2)
    for _ in range(2):
        pushed = np.concatenate([group.push(hop) for hop in np.split(samples, 40)])
        assert not group.warming_up
        np.testing.assert_allclose(pushed[25:], bulk[25:], atol=1e-6)
        group.reset()
        assert group.warming_up


def test_another_graph_is_refused_in_one_sentence() -> None:
    other = find_model("alexa").data
    for derive in (streaming_embedding, mel_constants):
        with pytest.raises(ModelError, match=r"is not openWakeWord 0\.5\.1's .*; install openwakeword==0\.5\.1"):
            derive(other)
        with pytest.raises(ModelError, match="no ONNX model"):
            derive(b"\x00not a model")
