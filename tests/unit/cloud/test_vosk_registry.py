from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.cloud.models import registry
from sim.errors import RecognizerError

COMPLETE = ("am/final.mdl", "conf/model.conf", "conf/mfcc.conf", "graph/HCLG.fst")


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISHEARD_MODELS", str(tmp_path))
    return tmp_path / "vosk"


def make(folder: Path, origin: str | None = None, files: tuple[str, ...] = COMPLETE) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    if origin:
        (folder / registry.MANIFEST).write_text(json.dumps({"origin": origin}))
    return folder


def test_models_live_in_the_users_data_unless_the_environment_says_where(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert registry.root() == root
    monkeypatch.delenv("MISHEARD_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert registry.root() == tmp_path / "misheard" / "models" / "vosk"


def test_models_from_elsewhere_come_before_those_trained_here(root: Path) -> None:
    make(root / "a-home-made", "trained")
    make(root / "misheard-small", "trained")
    make(root / "zulu", "imported")
    make(root / "pulled", "pulled")
    make(root / "by-hand")
    make(root / ".incoming-1", "pulled")
    (root / "README").touch()
    names = [(model.name, model.origin) for model in registry.installed()]
    assert names[:3] == [("by-hand", "unknown"), ("pulled", "pulled"), ("zulu", "imported")]
    assert names[3:] == [("a-home-made", "trained"), ("misheard-small", "trained")]
    assert registry.find() == root / "by-hand"


def test_a_folder_that_is_asked_for_is_taken_and_no_other(root: Path, tmp_path: Path) -> None:
    make(root / "pulled", "pulled")
    own = make(tmp_path / "own")
    assert registry.find(own) == own


@pytest.mark.parametrize("missing", COMPLETE)
def test_each_file_that_libvosk_needs_is_missed_by_name(tmp_path: Path, missing: str) -> None:
    make(tmp_path / "m")
    registry.check(tmp_path / "m")
    (tmp_path / "m" / missing).unlink()
    with pytest.raises(RecognizerError, match=f"it lacks {missing}; "):
        registry.check(tmp_path / "m")


def test_a_graph_in_two_parts_serves_as_well(tmp_path: Path) -> None:
    parts = ("graph/HCLr.fst", "graph/Gr.fst", "graph/disambig_tid.int")
    folder = make(tmp_path / "m", files=COMPLETE[:3] + parts)
    registry.check(folder)
    (folder / parts[1]).unlink()
    with pytest.raises(RecognizerError, match=r"it lacks graph/Gr\.fst; "):
        registry.check(folder)


def test_the_hash_is_of_names_and_contents_but_not_of_the_manifest_or_place(tmp_path: Path) -> None:
    first = registry.content_hash(make(tmp_path / "a"))
    assert registry.content_hash(make(tmp_path / "b", "pulled")) == first
    (tmp_path / "b" / "am" / "final.mdl").write_text("other")
    assert registry.content_hash(tmp_path / "b") != first
    (tmp_path / "a" / "am" / "final.mdl").rename(tmp_path / "a" / "am" / "last.mdl")
    assert registry.content_hash(tmp_path / "a") != first


@pytest.mark.parametrize("text", ["", "no json", "[1]", "\udcff"])
def test_a_manifest_that_is_none_is_no_manifest(tmp_path: Path, text: str) -> None:
    (tmp_path / registry.MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert registry.manifest(tmp_path) == {}
