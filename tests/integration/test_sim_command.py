"""`misheard sim kitchen-unacceptable`: the main job, with every part of it real."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.cloud.store import ClipStore
from sim.main import main
from tests.firmware_kit import kitchen
from wakeword import load_scorer
from wakeword.frames import HOP
from wakeword.sound import read_sound

# pocketsphinx is there everywhere, and the same words come of the same clip on every machine
SIM = ("sim", "kitchen-unacceptable", "--recognizer", "pocketsphinx")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run directory of one run in one process."""
    out = tmp_path_factory.mktemp("sim") / "run"
    assert main([*SIM, "--out", str(out), "--store", str(out.with_name("store"))]) == 0
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


def test_what_the_far_end_stored_is_kept_where_it_is_wanted(played: Path) -> None:
    store = ClipStore(played.with_name("store"))
    ends = events(played, "capture_end")
    assert [clip.id for clip in store.clips()] == [end["clip"] for end in ends]
    assert all(clip.complete for clip in store.clips())
    (customer,) = store.customers.all()
    assert (customer.first_name, [device.name for device in customer.devices]) == ("Ann", ["echo-dot"])
    assert customer == store.customers.of_device("echo-dot")
    assert re.fullmatch(r"A\d{10}", customer.number)
    assert re.fullmatch(r"G0[0-9A-F]{14}", customer.devices[0].serial)
    store.close()


def test_nobody_speaks_to_it_and_it_wakes(played: Path) -> None:
    run = json.loads((played / "run.json").read_text())
    wakes = events(played, "wake")
    assert run["wakes"] == {"true": 0, "false": len(wakes), "near_misses": len(events(played, "near_miss"))}
    assert len(wakes) >= 2
    assert (run["clips"]["captured"], run["clips"]["received"]) == (len(wakes), len(wakes))
    assert 10 < run["clips"]["uploaded_s"] < 30
    manifest = run["manifest"]
    assert (manifest["seed"], manifest["wire"], manifest["engine"]) == (6, "inprocess", "openwakeword")
    assert len(manifest["sound"]) == len(manifest["models"]["alexa"]) == 64
    said = [(event["who"], event["text"]) for event in events(played, "said")]
    assert said == [(line.who, line.text) for line in kitchen().truth]
    assert not any("alexa" in text.lower() for _, text in said)


def test_its_record_agrees_with_itself(played: Path) -> None:
    home = read_sound(played / "home.flac")
    first = events(played, "prompt")[0]["sample"]
    np.testing.assert_array_equal(home[:first], kitchen().samples[:first])
    assert np.any(home[first : first + HOP] != kitchen().samples[first : first + HOP]), "it hears its own voice"
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


def test_its_scores_are_those_of_the_sound_it_kept(played: Path) -> None:
    bulk = load_scorer("alexa").score(read_sound(played / "home.flac"))
    np.testing.assert_allclose(np.load(played / "scores.npy")[:, 0], bulk, atol=1e-5)


def test_over_a_broker_it_comes_to_the_same(played: Path, tmp_path: Path) -> None:
    assert main([*SIM, "--wire", "mqtt", "--pace", "fast", "--out", str(tmp_path)]) == 0
    own = ("part_sent", "connected", "disconnected")
    wired, direct = ((out / "events.jsonl").read_text("utf-8").splitlines() for out in (tmp_path, played))
    assert [line for line in wired if json.loads(line)["kind"] not in own] == direct
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
        ([*SIM, "--cloud", "2017"], 2, "the profiles are 2018"),
        ([*SIM, "--set", "cloud.dialog.confrim=strict"], 2, "did you mean confirm?"),
        ([*SIM, "--set", "scenario.people.ann.room=cellar"], 2, "the rooms are: kitchen"),
        ([*SIM, "--what-if", "treshold"], 2, "did you mean threshold?"),
        ([*SIM, "--what-if", "threshold=high"], 2, "a number from 0.01 to 1"),
        ([*SIM, "--what-if", "mute=noon"], 2, "a time of day"),
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
