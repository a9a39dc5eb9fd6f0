from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from sim.cloud.models import placement, registry
from sim.errors import RecognizerError


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISHEARD_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "models" / "vosk"


def zipped(path: Path, *entries: str | zipfile.ZipInfo) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            archive.writestr(entry, b"data " * 100)
    return path


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    "entry",
    ["../evil", "m/../../evil", "/tmp/evil", "..\\evil", "C:evil", link("m/link")],
    ids=["parent", "inner parent", "absolute", "backslash", "drive", "link"],
)
def test_a_zip_that_would_write_elsewhere_is_refused(tmp_path: Path, root: Path, entry: str | zipfile.ZipInfo) -> None:
    archive = zipped(tmp_path / "bad.zip", "m/am/final.mdl", entry)
    with pytest.raises(RecognizerError, match="would write outside its folder"):
        placement.import_model(archive)
    assert list(root.iterdir()) == []
    assert not list(tmp_path.rglob("evil"))


def test_a_damaged_zip_is_one_sentence_and_leaves_nothing(tmp_path: Path, root: Path) -> None:
    good = zipped(tmp_path / "good.zip", "m/am/final.mdl").read_bytes()
    flipped = bytearray(good)
    flipped[50] ^= 0xFF
    for number, data in enumerate((b"", b"no zip", good[: len(good) // 2], bytes(flipped))):
        archive = tmp_path / f"bad{number}.zip"
        archive.write_bytes(data)
        with pytest.raises(RecognizerError, match=f"{archive} is no zip that can be unpacked"):
            placement.import_model(archive)
    assert list(root.iterdir()) == []


def test_what_holds_no_model_or_two_is_refused(tmp_path: Path, root: Path) -> None:
    (tmp_path / "empty").mkdir()
    sources = {
        "holds no Vosk model": (tmp_path / "empty", zipped(tmp_path / "none.zip", "m/readme")),
        "holds 2 Vosk models": (zipped(tmp_path / "two.zip", "a/am/final.mdl", "b/am/final.mdl"),),
    }
    for sentence, paths in sources.items():
        for path in paths:
            with pytest.raises(RecognizerError, match=f"{path} {sentence}"):
                placement.import_model(path)
    with pytest.raises(RecognizerError, match="there is no file or folder"):
        placement.import_model(tmp_path / "gone")
    assert list(root.iterdir()) == []


def test_a_model_that_lacks_a_file_is_called_as_the_user_called_it(tmp_path: Path, root: Path) -> None:
    archive = zipped(tmp_path / "half.zip", "m/am/final.mdl", "m/conf/model.conf", "m/conf/mfcc.conf")
    with pytest.raises(RecognizerError, match=rf"^{archive} is no complete Vosk model, it lacks graph/HCLG\.fst; "):
        placement.import_model(archive)
    assert list(root.iterdir()) == []


def test_a_name_that_is_no_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match="cannot be a model's name"):
        placement.place(tmp_path, ".hidden", {}, called="it")


def test_a_place_where_nothing_can_be_written_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MISHEARD_MODELS", str(tmp_path / "file"))
    with pytest.raises(RecognizerError, match=r"cannot be put into .* set MISHEARD_MODELS"):
        placement.import_model(zipped(tmp_path / "m.zip", "m/am/final.mdl"))
    assert registry.installed() == ()
