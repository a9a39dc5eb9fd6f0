"""Mining as one asks for it: small, with everything it leaves, and done again for nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.main import main
from sim.speech.voices import Voice, renderer
from wakeword.scorer import load_scorers
from wakeword.sound import read_sound


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], str]) -> list[str]:
    needs("flite")
    folder = tmp_path_factory.mktemp("mine")
    few = ["--words", "6", "--pairs", "2", "--spread", "2", "--confirm", "2", "--workers", "1"]
    asked = ["lab", "mine", *few, "--engine", "openwakeword", "--voice", "flite:rms", "--out", str(folder / "out")]
    assert main([*asked, "--plot", str(folder / "mine.svg")]) == 0
    return asked


def test_triggers_come_with_their_sound_and_distances(mined: list[str]) -> None:
    out = Path(mined[-1])
    results = json.loads((out / "results.json").read_text())
    first = results["triggers"][0]
    assert first["openwakeword places"] == 8
    with (out / "candidates.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 10
    with (out / "audio" / "metadata.csv").open(newline="") as file:
        sounds = list(csv.DictReader(file))
    assert [sound["text"] for sound in sounds] == [row["text"] for row in results["triggers"]]
    assert len(read_sound(out / "audio" / sounds[0]["file_name"])) > 4000
    assert sum(row["candidates"] for row in results["by_distance"] if row["engine"] == "openwakeword") == 10
    assert "weighted phone distance" in (out.parent / "mine.svg").read_text()


def test_done_again_nothing_is_said(mined: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    out = Path(mined[-1])
    before = (out / "results.json").read_bytes()
    monkeypatch.setattr("sim.lab.cluster.Cluster.__enter__", lambda _self: pytest.fail("it starts workers"))
    assert main(mined) == 0
    assert (out / "results.json").read_bytes() == before


def test_how_many_are_confirmed_may_change_later(mined: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    out = Path(mined[-1])
    before = (out / "results.json").read_text()
    monkeypatch.setattr("sim.lab.cluster.Cluster.__enter__", lambda _self: pytest.fail("it starts workers"))
    assert main([*mined, "--confirm", "1"]) == 0
    first, second, *_ = json.loads((out / "results.json").read_text())["triggers"]
    assert (first["openwakeword replays"] is None, second["openwakeword replays"] is None) == (False, True)
    assert main(mined) == 0
    assert (out / "results.json").read_text() == before


def test_it_can_be_cited(mined: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["lab", "cite", mined[-1]]) == 0
    told = capsys.readouterr().out
    sha256 = load_scorers(["alexa"]).hashes[0]
    voice = f"Voice flite:rms: {renderer(Voice.parse('flite:rms'))}."
    for each in (
        f"SHA-256 {sha256[:16]}",
        "10 candidates",
        "2 were said in five sentences",
        voice,
        "Schönherr",
        "Flite",
    ):
        assert each in told
    assert "eSpeak" not in told


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--voice", "flite:nobody"], "flite has no voice called 'nobody'"),
        (["--voice", "nobody"], "--voice: a voice is engine:name"),
        (["--engine", "openwakewrod"], "did you mean openwakeword?"),
        (["--seed", "1", "hey_computer"], "hey_computer"),
    ],
)
def test_what_is_not_here_is_one_sentence(
    asked: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], needs: Callable[[str], str]
) -> None:
    needs("flite")
    assert main(["lab", "mine", *asked, "--out", str(tmp_path / "out")]) in (1, 2)
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
