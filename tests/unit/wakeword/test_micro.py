"""The micro engine against pymicro-wakeword's own loop; the package is optional, and part of the test environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymicro_wakeword
import pytest

from wakeword import HOP, ModelError, ScorerGroup, load_scorer, load_scorers
from wakeword.sound import Samples, read_sound

MODELS = Path(pymicro_wakeword.__file__).parent / "models"


@pytest.fixture(scope="module")
def group() -> ScorerGroup:
    return load_scorers(["alexa", "okay_nabu"], "micro")


@pytest.fixture(scope="module")
def spoken(needs: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """A second and a half of quiet, then "Lexus", which wakes it."""
    path = tmp_path_factory.mktemp("spoken") / "lexus.wav"
    subprocess.run([needs("flite"), "-voice", "rms", "-t", "Lexus.", "-o", path], check=True)
    return np.concatenate([np.zeros(20 * HOP, np.int16), read_sound(path), np.zeros(12 * HOP, np.int16)])


def test_scores_are_the_packages_own(group: ScorerGroup, spoken: Samples) -> None:
    features = pymicro_wakeword.MicroWakeWordFeatures()
    word = pymicro_wakeword.MicroWakeWord.from_config(MODELS / "alexa.json")
    expected = []
    for hop in spoken[: len(spoken) // HOP * HOP].reshape(-1, HOP):
        chances = [word.process_streaming_prob(each) for each in features.process_streaming(hop.tobytes())]
        expected.append(max(chances, default=0.0))
    scores = group.score(spoken)
    assert np.array_equal(scores[:, 0], np.array(expected, np.float32))
    assert scores[:, 0].max() > group.thresholds[0] == 0.9
    assert scores[:20].max() < 0.1


def test_streams_in_any_portions_and_forgets(group: ScorerGroup, spoken: Samples) -> None:
    bulk = group.score(spoken)
    for portion in (1, 5):
        group.reset()
        assert group.warming_up
        whole = spoken[: len(spoken) // HOP * HOP]
        pieces = np.split(whole, range(portion * HOP, len(whole), portion * HOP))
        assert np.array_equal(np.concatenate([group.push(piece) for piece in pieces]), bulk)
        assert not group.warming_up


def test_names_itself(group: ScorerGroup) -> None:
    scorer = load_scorer("alexa", "micro")
    assert (scorer.name, scorer.engine, scorer.threshold) == ("alexa", "micro", 0.9)
    assert scorer.sha256 == group.hashes[0]
    assert len(set(group.hashes)) == 2
    assert group.names == ("alexa", "okay_nabu")


def test_a_path_is_a_model_too(spoken: Samples) -> None:
    scorer = load_scorer(str(MODELS / "alexa.json"), "micro")
    assert np.array_equal(scorer.score(spoken), load_scorer("alexa", "micro").score(spoken))


def test_an_unknown_word_is_told_which_there_are() -> None:
    with pytest.raises(ModelError, match=r"no microWakeWord model called computer; choose one of alexa, .*okay_nabu"):
        load_scorer("computer", "micro")


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(b"no model at all", id="text"),
        pytest.param((MODELS / "alexa.tflite").read_bytes()[:20_000], id="truncated"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_broken_model_is_one_sentence_and_no_crash(model: bytes, tmp_path: Path) -> None:
    (tmp_path / "alexa.json").write_bytes((MODELS / "alexa.json").read_bytes())
    (tmp_path / "alexa.tflite").write_bytes(model)
    with pytest.raises(ModelError, match=r"alexa\.json describes no microWakeWord model .*no TensorFlow Lite model"):
        load_scorer(str(tmp_path / "alexa.json"), "micro")


def test_a_description_that_lacks_something_is_one_sentence(tmp_path: Path) -> None:
    description = json.loads((MODELS / "alexa.json").read_text())
    path = tmp_path / "word.json"
    (tmp_path / "alexa.tflite").write_bytes((MODELS / "alexa.tflite").read_bytes())
    for broken in (
        "no json",
        "[]",
        json.dumps(description | {"model": "nowhere.tflite"}),
        json.dumps({key: value for key, value in description.items() if key != "micro"}),
        json.dumps(description | {"micro": {"probability_cutoff": 0.9}}),
    ):
        path.write_text(broken)
        with pytest.raises(ModelError, match=r"word\.json describes no microWakeWord model"):
            load_scorer(str(path), "micro")
