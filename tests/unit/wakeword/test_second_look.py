"""The learned second look as a file, and what it hears."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wakeword.errors import ModelError
from wakeword.features import Features, FeatureStream
from wakeword.frames import EMBEDDING, HOP
from wakeword.models import EMBEDDING as EMBEDDING_MODEL
from wakeword.models import NAMES, shared_model
from wakeword.second_look import BLIND, Learned, SecondLook, embeddings_before, hops_of, load_learned, sigmoid
from wakeword.span import detection_of, word_span


def learned(**about: Any) -> Learned:
    weights = np.random.default_rng(3).normal(size=(5, EMBEDDING))
    manifest = {"format": 1, "word": "alexa", "model": "a" * 64, "embedding": shared_model(EMBEDDING_MODEL).sha256}
    return Learned(weights, -0.25, 0.4, {**manifest, **about})


@pytest.fixture(scope="module")
def features() -> Features:
    return Features()


def noise(hops: int, seed: int = 1) -> np.ndarray:
    return (3000 * np.random.default_rng(seed).standard_normal(hops * HOP)).astype(np.int16)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "v.npz"
    file.write_bytes(learned().as_bytes())
    found = load_learned(file)
    np.testing.assert_array_equal(found.weights, learned().weights)
    assert (found.bias, found.threshold, found.word, found.model) == (-0.25, 0.4, "alexa", "a" * 64)
    assert found.as_bytes() == file.read_bytes(), "the same verifier, the same bytes"


def test_a_few_windows_of_a_clip_see_nothing_before_it(features: Features) -> None:
    """So device and far end, which have not the same past, hear the same."""
    sound = noise(40)
    stream = FeatureStream(features).push(sound)
    windows = hops_of("alexa") - BLIND
    np.testing.assert_array_equal(embeddings_before(features, sound, windows), stream[-windows:])
    needed = (windows + BLIND) * HOP
    np.testing.assert_array_equal(embeddings_before(features, sound[-needed:], windows), stream[-windows:])
    shorter = FeatureStream(features).push(sound[-needed:])[BLIND - 1]
    assert np.abs(shorter - stream[-windows - 1]).max() > 0.01, "the window before them does see it"


@pytest.mark.parametrize("word", [*NAMES, "some_other_word"])
def test_a_clip_of_any_word_holds_the_windows(word: str) -> None:
    begin, end = word_span(word, 100_000)
    assert detection_of(word, end) == 100_000
    clip = begin - 8000
    assert hops_of(word) - BLIND > 0
    assert hops_of(word) * HOP <= 100_000 - clip < (hops_of(word) + 1) * HOP


def test_with_too_little_sound_it_says_nothing(features: Features) -> None:
    look = SecondLook(learned(), features)
    sound = noise(14)
    assert look.score(sound[1:]) is None
    score = look.score(sound)
    assert score is not None
    assert score == look.score(np.concatenate([noise(3, seed=2), sound])), "what was before makes no difference"


def test_the_logistic_function_does_not_overflow() -> None:
    assert [sigmoid(z) for z in (-1e6, 0.0, 1e6)] == [0.0, 0.5, 1.0]
    assert sigmoid(2.0) + sigmoid(-2.0) == pytest.approx(1)


class Trap:
    """Unpickled, it leaves a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.file,)


def _changed(**arrays: Any) -> bytes:
    parts = dict(np.load(BytesIO(learned().as_bytes())))
    parts.update(arrays)
    file = BytesIO()
    np.savez(file, **{name: value for name, value in parts.items() if value is not None})
    return file.getvalue()


def _manifest(**about: Any) -> np.ndarray:
    return np.frombuffer(json.dumps({**learned().manifest, **about}).encode(), np.uint8)


def _promising() -> bytes:
    """An array whose head promises terabytes."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("bias", "manifest", "threshold", "weights"):
            head = BytesIO()
            np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 96)})
            archive.writestr(f"{name}.npy", head.getvalue())
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no verifier"),
        (b"PK\x03\x04 and no more", "no verifier"),
        (learned().as_bytes()[:-30], "no verifier"),
        (_changed(weights=None), "it holds bias.npy, manifest.npy, threshold.npy"),
        (_changed(more=np.zeros(3)), "it holds"),
        (_changed(weights=np.zeros((5, 95))), r"\[5, 95\]"),
        (_changed(weights=np.zeros((0, EMBEDDING))), r"\[0, 96\]"),
        (_changed(weights=np.zeros((5, EMBEDDING), np.float32)), "float32"),
        (_changed(weights=np.full((5, EMBEDDING), np.nan)), "not finite"),
        (_changed(bias=np.zeros(2)), "bias"),
        (_changed(threshold=np.array(1.5)), "threshold is 1.5"),
        (_changed(manifest=_manifest(format=2)), "format"),
        (_changed(manifest=_manifest(word=None)), "does not say word"),
        (_changed(manifest=np.frombuffer(b"{", np.uint8)), "no verifier"),
        (_changed(manifest=np.zeros(4)), "no text"),
        (_changed(manifest=_manifest(embedding="b" * 64)), "another speech embedding"),
        (_promising(), "cut off"),
        (bytes(1_000_001), "larger than any verifier"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_what_is_no_verifier_is_refused_in_one_sentence(data: bytes, told: str, tmp_path: Path) -> None:
    file = tmp_path / "v.npz"
    file.write_bytes(data)
    with pytest.raises(ModelError, match=told) as caught:
        load_learned(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["weights", "manifest", "bias"])
def test_pickled_objects_are_never_loaded(name: str, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    file = tmp_path / "v.npz"
    file.write_bytes(_changed(**{name: np.array([Trap(sprung)], dtype=object)}))
    with pytest.raises(ModelError, match="pickled objects, which are never loaded"):
        load_learned(file)
    assert not sprung.exists()
    np.load(file, allow_pickle=True)[name]
    assert sprung.exists(), "it is a trap"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.npz cannot be read .*check the path"):
        load_learned(tmp_path / "nowhere.npz")
