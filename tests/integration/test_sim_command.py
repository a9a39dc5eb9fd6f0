"""`misheard sim kitchen-unacceptable`: the main job, with every part of it real."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.main import main
from tests.firmware_kit import hear, kinds, kitchen, real_firmware
from wakeword.frames import HOP
from wakeword.sound import read_sound

# pocketsphinx is there everywhere, and the same words come of the same clip on every machine
SIM = ("sim", "kitchen-unacceptable", "--recognizer", "pocketsphinx")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run directory of one run in one process."""
    out = tmp_path_factory.mktemp("sim") / "run"
    assert main([*SIM, "--out", str(out)]) == 0
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def events(folder: Path, *wanted: str) -> list[dict[str, Any]]:
    lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] in wanted]


def test_the_same_seed_leaves_the_same_bytes(played: Path, tmp_path: Path) -> None:
    assert main([*SIM, "--out", str(tmp_path / "again")]) == 0
    once, again = files(played), files(tmp_path / "again")
    assert list(once) == list(again)
    assert [name for name in once if once[name] != again[name]] == []
    assert {"run.json", "events.jsonl", "home.flac", "labels.txt", "scores.npy", "report.html"} <= set(once)
    assert {"clips/metadata.csv"} < {name for name in once if name.startswith("clips/")}


def test_nobody_speaks_to_it_and_it_wakes_twice(played: Path) -> None:
    run = json.loads((played / "run.json").read_text())
    assert run["wakes"] == {"true": 0, "false": 2, "near_misses": len(events(played, "near_miss"))}
    assert (run["clips"]["captured"], run["clips"]["received"]) == (2, 2)
    assert 10 < run["clips"]["uploaded_s"] < 20
    manifest = run["manifest"]
    assert (manifest["seed"], manifest["wire"], manifest["engine"]) == (6, "inprocess", "openwakeword")
    assert len(manifest["sound"]) == len(manifest["models"]["alexa"]) == 64
    said = {event["text"] for event in events(played, "said")}
    assert said == {line.text for line in kitchen().truth}
    assert not any("alexa" in text.lower() for text in said)


def test_its_record_agrees_with_itself(played: Path) -> None:
    home = read_sound(played / "home.flac")
    np.testing.assert_array_equal(home, kitchen().samples)
    ends = events(played, "capture_end")
    for end in ends:
        clip = read_sound(played / "clips" / f"{end['clip']}.flac")
        np.testing.assert_array_equal(clip, home[end["begin"] : end["end"]])
    scores = np.load(played / "scores.npy")
    assert scores.shape == (len(home) // HOP, 1)
    for wake in events(played, "wake"):
        assert scores[wake["sample"] // HOP - 1, 0] == np.float32(wake["score"])
    really = {event["clip"]: event["text"] for event in events(played, "really_said")}
    assert really[ends[0]["clip"]].startswith("Unacceptable, for that money.")
    heard = {event["clip"]: event["text"] for event in events(played, "transcript")}
    assert "money" in heard[ends[0]["clip"]]


def test_the_firmware_alone_wakes_at_the_same_samples(played: Path) -> None:
    alone = hear(real_firmware(), kitchen().samples)
    for kind in ("wake", "near_miss"):
        assert [event["sample"] for event in events(played, kind)] == [event.sample for event in kinds(alone, kind)]


def test_over_a_broker_it_comes_to_the_same(played: Path, tmp_path: Path) -> None:
    assert main([*SIM, "--wire", "mqtt", "--pace", "fast", "--out", str(tmp_path)]) == 0
    for kind in ("wake", "near_miss", "capture_begin", "part", "capture_end", "state", "said"):
        assert events(played, kind) == events(tmp_path, kind), kind
    for kind in ("transcript", "really_said"):
        wired, direct = ([(e["clip"], e["text"]) for e in events(out, kind)] for out in (tmp_path, played))
        assert wired == direct
    assert len(events(tmp_path, "part_sent")) == len(events(played, "part"))
    here, there = files(played), files(tmp_path)
    same = ("home.flac", "scores.npy", "labels.txt", *(name for name in here if name.startswith("clips/")))
    assert [name for name in same if here[name] != there[name]] == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["sim", "kitchen-unaceptable"], 2, "did you mean kitchen-unacceptable?"),
        (["sim", "nowhere.yaml"], 2, "nowhere.yaml"),
        ([*SIM, "--set", "wake.treshold=0.5"], 2, "did you mean threshold?"),
        ([*SIM, "--set", "wake.threshold=2"], 2, "wake.threshold"),
        ([*SIM, "--seed", "-1"], 2, "seed"),
        (["sim", "kitchen-unacceptable", "--recognizer", "ear"], 1, "choose auto, vosk, pocketsphinx or none"),
        ([*SIM, "--config", "nowhere"], 2, "the profiles are echo-dot"),
        ([*SIM, "--out", "/proc/run"], 1, "/proc/run cannot be written"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: list[str],
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    said = capsys.readouterr().err
    assert said.startswith("misheard: ")
    assert said.count("\n") == 1
    assert words in said


@pytest.mark.parametrize("wire", ["inprocess", "mqtt"])
def test_ctrl_c_leaves_what_was_heard_until_then(wire: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sim.main", *SIM, "--wire", wire, "--pace", "real", "--out", str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("hearing" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == ""
    assert json.loads((tmp_path / "run" / "run.json").read_text())["clips"]["captured"] == 0
    assert len(read_sound(tmp_path / "run" / "home.flac")) >= HOP
