"""The scorers' promises: one stream in any portions, from a fixed start, for every model."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeword import HOP, EngineMissing, ModelError, ScorerGroup, SoundError, load_scorer, load_scorers
from wakeword.features import TILE
from wakeword.models import EMBEDDING, NAMES, VAD, find_model, shared_model
from wakeword.scorer import Scores
from wakeword.sound import Samples, read_sound

SpeechLike = Callable[[int, int], Samples]


def _in_portions(group: ScorerGroup, samples: Samples, portions: list[int]) -> Scores:
    group.reset()
    ends = np.minimum(np.cumsum(portions), len(samples) // HOP) * HOP
    pieces = np.split(samples[: len(samples) // HOP * HOP], ends)
    return np.concatenate([group.push(piece) for piece in pieces])


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.integers(0, 90 * HOP),
    portions=st.lists(st.integers(1, TILE + 9), max_size=40),
)
def test_push_in_any_portions_equals_score(
    speech_like: SpeechLike, group: ScorerGroup, seed: int, length: int, portions: list[int]
) -> None:
    samples = speech_like(seed, length)
    bulk = group.score(samples)
    assert bulk.shape == (length // HOP, 3)
    assert bulk.dtype == np.float32
    np.testing.assert_allclose(_in_portions(group, samples, portions), bulk, atol=1e-5)


def test_hop_by_hop_equals_score_on_recordings(recordings: list[Samples], group: ScorerGroup) -> None:
    for samples in recordings:
        bulk = group.score(samples)
        assert bulk[:, 0].max() > 0.5, "the word is said in it"
        np.testing.assert_allclose(_in_portions(group, samples, [1] * len(bulk)), bulk, atol=1e-5)


def test_a_scorer_is_one_word_of_a_group(speech_like: SpeechLike, group: ScorerGroup) -> None:
    samples = speech_like(3, 60 * HOP)
    together = group.score(samples)
    for column, name in enumerate(group.names):
        scorer = load_scorer(name)
        assert (scorer.name, scorer.engine, scorer.threshold) == (name, "openwakeword", 0.5)
        assert scorer.sha256 == group.hashes[column] == find_model(name).sha256
        np.testing.assert_allclose(scorer.score(samples), together[:, column], atol=1e-6)
        pushed = [scorer.push(hop) for hop in samples.reshape(-1, HOP)[:30]]
        assert all(type(score) is float for score in pushed)
        np.testing.assert_allclose(pushed, together[:30, column], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_in_the_wheel_scores(name: str, speech_like: SpeechLike) -> None:
    scores = load_scorer(name).score(speech_like(11, 50 * HOP))
    assert scores.shape == (50,)
    assert np.all((scores >= 0) & (scores <= 1))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("alexa", "Alexa"),
        ("hey_jarvis", "hey jarvis"),
        ("hey_rhasspy", "hey raspy"),
        ("timer", "set a ten minute timer"),
        ("weather", "what's the weather today"),
    ],
)
def test_a_spoken_word_reaches_the_threshold(
    name: str, words: str, needs: Callable[[str], str], tmp_path: Path
) -> None:
    """All but hey_mycroft, which does not know a flite voice."""
    spoken = tmp_path / "spoken.wav"
    subprocess.run([needs("flite"), "-voice", "slt", "-t", words, "-o", spoken], check=True)
    quiet = np.zeros(20 * HOP, np.int16)
    scores = load_scorer(name).score(np.concatenate([quiet, read_sound(spoken), quiet]))
    assert scores.max() > 0.9
    assert scores[:20].max() < 0.1


def test_reset_forgets_everything(speech_like: SpeechLike, group: ScorerGroup) -> None:
    samples = speech_like(5, 40 * HOP)
    group.reset()
    first = group.push(samples)
    group.push(speech_like(6, 70 * HOP))
    group.reset()
    assert np.array_equal(group.push(samples), first)


def test_score_leaves_the_stream_untouched(speech_like: SpeechLike, group: ScorerGroup) -> None:
    samples = speech_like(7, 40 * HOP)
    expected = _in_portions(group, samples, [20])
    group.reset()
    before = group.push(samples[: 20 * HOP])
    warming_up = group.warming_up
    group.score(speech_like(8, 50 * HOP))
    assert group.warming_up == warming_up
    assert np.array_equal(np.concatenate([before, group.push(samples[20 * HOP :])]), expected)


def test_two_fresh_scorers_give_the_same_bytes(speech_like: SpeechLike) -> None:
    samples = speech_like(9, 80 * HOP)
    assert load_scorer().score(samples).tobytes() == load_scorer().score(samples).tobytes()


def test_the_stream_starts_in_silence(speech_like: SpeechLike, group: ScorerGroup) -> None:
    """Silence before the stream changes nothing."""
    samples, quiet = speech_like(10, 30 * HOP), np.zeros(20 * HOP, np.int16)
    later = group.score(np.concatenate([quiet, samples]))[20:]
    np.testing.assert_allclose(later, group.score(samples), atol=1e-6)


@pytest.mark.parametrize("name", ["alexa", "weather"])
def test_warm_up_lasts_while_scores_rest_on_what_was_before(name: str, speech_like: SpeechLike) -> None:
    group = load_scorers([name])
    samples = np.concatenate([np.zeros(HOP, np.int16), speech_like(12, 40 * HOP)])
    ends = group.warm_up_hops
    alone = group.score(samples)
    # Loud sound before a silent hop reaches furthest: it lifts the floor of all of that hop's mel frames.
    noise = np.random.default_rng(13).integers(-30_000, 30_000, 30 * HOP).astype(np.int16)
    after_noise = group.score(np.concatenate([noise, samples]))[30:]
    differences = np.abs(alone - after_noise)[:, 0]
    assert differences[ends:].max() < 1e-6
    assert differences[ends - 1] > 0
    assert group.warming_up
    group.push(samples[: ends * HOP])
    assert group.warming_up
    group.push(samples[:HOP])
    assert not group.warming_up
    group.reset()
    assert group.warming_up


def test_the_rest_after_the_last_whole_hop_is_not_scored(speech_like: SpeechLike, group: ScorerGroup) -> None:
    samples = speech_like(14, 3 * HOP + 1279)
    assert len(group.score(samples)) == 3
    assert len(group.score(samples[:1279])) == 0


def test_only_whole_hops_of_int16_are_taken(group: ScorerGroup) -> None:
    scorer = load_scorer()
    for wrong in (np.zeros(1279, np.int16), np.zeros(HOP, np.float32), np.zeros((HOP, 2), np.int16)):
        with pytest.raises(SoundError, match=r"1280|int16"):
            scorer.push(wrong)  # type: ignore[arg-type]
        with pytest.raises(SoundError, match=r"1280|int16"):
            group.push(wrong)  # type: ignore[arg-type]
    with pytest.raises(SoundError, match="a hop is 1280 samples, not 2560"):
        scorer.push(np.zeros(2 * HOP, np.int16))
    with pytest.raises(SoundError, match="not list"):
        scorer.score([0] * HOP)  # type: ignore[arg-type]


def test_a_path_is_a_model_too(tmp_path: Path, speech_like: SpeechLike) -> None:
    copy = tmp_path / "computer.onnx"
    shutil.copy(find_model("alexa").path, copy)
    scorer, samples = load_scorer(str(copy)), speech_like(15, 40 * HOP)
    assert scorer.name == "computer"
    assert np.array_equal(scorer.score(samples), load_scorer("alexa").score(samples))


@pytest.mark.parametrize(("wrong", "hint"), [("alexia", "did you mean alexa"), ("zzz", "choose one of alexa, ")])
def test_an_unknown_word_is_told_the_nearest(wrong: str, hint: str) -> None:
    with pytest.raises(ModelError, match=f"called {wrong}; {hint}"):
        load_scorer(wrong)


def test_an_unknown_engine_is_told_the_nearest() -> None:
    with pytest.raises(ModelError, match="no engine called openwakewrod; did you mean openwakeword"):
        load_scorer("alexa", "openwakewrod")
    with pytest.raises(ModelError, match="choose one of openwakeword, micro, reference"):
        load_scorer("alexa", "zzz")
    with pytest.raises(ModelError, match="no wake word is named"):
        load_scorers([])


def test_what_is_no_model_is_refused_in_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "story.onnx"
    text.write_text("Once upon a time.")
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(find_model("alexa").data[:5000])
    for path in (text, cut):
        with pytest.raises(ModelError, match=f"{path.name} is not an ONNX model that can run") as caught:
            load_scorer(str(path))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [EMBEDDING, VAD])
def test_a_model_of_another_shape_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="not one window of 96-value embeddings; give a model"):
        load_scorer(str(shared_model(name).path))


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no wake word or model file called"):
        load_scorer(str(tmp_path))


def test_missing_models_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModelError, match="install them with: pip install --no-deps openwakeword"):
        load_scorer()


@pytest.mark.parametrize(
    ("engine", "missing", "told"),
    [("micro", "pymicro_wakeword", "pymicro-wakeword"), ("reference", "sklearn", "sklearn")],
)
def test_a_missing_package_is_one_sentence(engine: str, missing: str, told: str) -> None:
    before = dict(sys.modules)
    try:
        for module in _modules_of("openwakeword", missing):
            del sys.modules[module]
        sys.modules[missing] = None  # type: ignore[assignment] # how Python marks what cannot be imported
        with pytest.raises(
            EngineMissing, match=f"the {engine} engine needs {told}.*, which is not installed; install it"
        ):
            load_scorer("alexa", engine)
    finally:  # what came in of a package before it failed would be found by the next to import it
        for module in _modules_of("openwakeword", missing):
            del sys.modules[module]
        sys.modules.update(before)


def _modules_of(*packages: str) -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] in packages]
