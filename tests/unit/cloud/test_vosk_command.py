from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from sim.cloud.models import command
from wakeword.models import LICENCE, NAMES


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISHEARD_MODELS", str(tmp_path))
    return tmp_path / "vosk"


def misheard(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["models", *arguments])
    code: int = args.run(args)
    return code


def test_the_list_names_each_model_its_licence_and_the_recognizer_that_is_used(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert misheard("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"licence {LICENCE}: {', '.join(NAMES)}" in lines
    assert [line.split()[:3] for line in lines if line.startswith("pocketsphinx")] == [
        ["pocketsphinx", "en-us", "(used)"]
    ]
    (root / "mine").mkdir(parents=True)
    assert misheard("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines if "(used)" in line] == [["vosk", "mine", "(used)"]]
    assert any(line.endswith(str(root / "mine")) for line in lines)


def test_the_json_list_has_whole_hashes_and_paths_that_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert misheard("list", "--json") == 0
    entries = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in entries if entry["kind"] == "wake word"] == list(NAMES)
    assert all(len(entry["sha256"]) == 64 and Path(entry["path"]).exists() for entry in entries)


@pytest.mark.parametrize("wrong", [["pull", "whisper"], [], ["import"], ["train-vosk", "--seed", "x"]])
def test_wrong_usage_ends_with_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        misheard(*wrong)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
