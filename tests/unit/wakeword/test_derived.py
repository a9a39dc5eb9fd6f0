"""The cache of derived models: used when whole, made anew when not, and never needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wakeword import HOP, load_scorer
from wakeword.derived import derived
from wakeword.models import ModelFile
from wakeword.sound import Samples


class Derive:
    """Counts how often it derives."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, data: bytes) -> bytes:
        self.calls += 1
        return data[::-1]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    path = tmp_path / "model.onnx"
    path.write_bytes(bytes(range(256)))
    return ModelFile("model", path)


def _only_file(cache: Path) -> Path:
    (file,) = (path for path in cache.rglob("*") if path.is_file())
    return file


def test_derives_once(cache: Path, model: ModelFile) -> None:
    derive = Derive()
    results = {derived(model, "mirror", derive) for _ in range(3)}
    assert results == {bytes(range(255, -1, -1))}
    assert derive.calls == 1
    assert _only_file(cache).is_file()


def test_other_bytes_or_another_kind_are_derived_apart(cache: Path, model: ModelFile, tmp_path: Path) -> None:
    derive, other = Derive(), tmp_path / "other.onnx"
    other.write_bytes(b"other")
    assert derived(model, "mirror", derive) != derived(ModelFile("model", other), "mirror", derive)
    derived(model, "another-kind", derive)
    assert derive.calls == 3
    assert len([path for path in cache.rglob("*") if path.is_file()]) == 3


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[:-1], id="truncated"),
        pytest.param(lambda data: data[:80] + b"?" + data[81:], id="changed"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"\xff\xfe no digest, no line", id="other"),
    ],
)
def test_a_damaged_entry_is_derived_anew(cache: Path, model: ModelFile, spoil: Callable[[bytes], bytes]) -> None:
    derive = Derive()
    whole = derived(model, "mirror", derive)
    file = _only_file(cache)
    file.write_bytes(spoil(file.read_bytes()))
    assert derived(model, "mirror", derive) == whole
    assert derived(model, "mirror", derive) == whole
    assert derive.calls == 2


@pytest.mark.parametrize("place", ["/proc/nowhere", "/dev/null", "a file"])
def test_a_cache_that_cannot_be_written_is_not_needed(
    place: str, model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a file"
    file.write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(file) if place == "a file" else place)
    derive = Derive()
    assert derived(model, "mirror", derive) == derived(model, "mirror", derive)
    assert derive.calls == 2


def test_a_failure_to_write_leaves_nothing_behind(
    cache: Path, model: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(self), None, str(target))

    monkeypatch.setattr(Path, "replace", full)
    assert derived(model, "mirror", Derive()) == bytes(range(255, -1, -1))
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_scores_do_not_depend_on_the_cache(
    cache: Path, speech_like: Callable[[int, int], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = speech_like(31, 40 * HOP)
    made = load_scorer().score(samples)
    assert len([path for path in cache.rglob("*") if path.is_file()]) == 3, "mel, embedding and classifier"
    kept = load_scorer().score(samples)
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    without = load_scorer().score(samples)
    assert np.array_equal(made, kept)
    assert np.array_equal(made, without)
