"""The loop as a whole, on two days of one home: real voices, device, far end, desk and log."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.cloud.store import ClipStore
from sim.main import main
from sim.review.feedback.plan import Places
from sim.review.feedback.playing import STORE, Day
from wakeword.second_look import load_learned
from wakeword.sound import read_sound

TALK = """
near: ["People accept that, {remark}.", "Lexus, {remark}.", "People accept {topic}."]
ordinary: ["Bring the {topic} with you."]
commands:
  - {say: "Alexa, set a timer for {number} minutes.", intent: timer}
  - {say: "Alexa, set the volume to {number}.", intent: volume}
lists:
  topic: [humidity, oak floors, old maps, taxes, bees, the moon, good bread, my back, the garden, cheap flights, tea,
    glue, bad weather, school meals, stamps, lamps, tiles, chairs, records, rain coats]
  remark: [if you ask me, I would say, as always, so they say, in my opinion, this time, at that price, like last year,
    and on a Sunday, can you believe it, I suppose, to be honest, as it is, of all things]
  number: [two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen, fifteen, sixteen]
"""
SIZE = ["--homes", "1", "--days", "2", "--near", "11", "--ordinary", "1", "--commands", "6", "--seed", "1"]


def arguments(out: Path, talk: Path, *more: str) -> list[str]:
    return ["review", "loop", "--out", str(out), *SIZE, "--talk", str(talk), "--recognizer", "none", *more]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], str]) -> Path:
    needs("flite")
    file = tmp_path_factory.mktemp("talk") / "talk.yaml"
    file.write_text(TALK)
    return file


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, talk: Path) -> Path:
    """A loop that was played in one go, in one process."""
    out = tmp_path_factory.mktemp("loop") / "out"
    assert main(arguments(out, talk, "--workers", "1")) == 0
    return out


def results(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "results.json").read_text("utf-8"))
    return found


def test_what_was_reviewed_makes_a_second_look_and_its_gain_is_told(done: Path) -> None:
    found = results(done)
    assert "simulated annotators" in found["note"]
    reviewed, learned = found["reviewed"], found["learned"]
    assert reviewed["drawn"] == reviewed["clips"] > 0
    assert reviewed["labels"] == 2 * reviewed["drawn"]
    assert min(learned["wakes"].values()) >= 5
    file = load_learned(done / "verifier-alexa.npz")
    assert file.sha256 == learned["second_look"]["sha256"]
    assert file.manifest["labels"] == "simulated annotators, 0.03 of their labels wrong"
    wakes = found["same_clips"]["wakes"]
    for way in found["same_clips"]["ways"].values():
        assert way["false_wakes_avoided"]["of"] == wakes["false"] > 0
        assert way["true_wakes_lost"]["of"] == wakes["true"] > 0
    before, again = found["played_again"]["as before"], found["played_again"]["learned"]
    assert before["refused_on_device"] == {"false": 0, "true": 0, "other": 0}
    assert before["false_wakes"] == wakes["false"] + wakes["while_nobody_spoke"]
    assert again["lines_waking_falsely"]["before"] <= wakes["false"]


def test_nothing_that_was_learned_from_is_tried_again(done: Path) -> None:
    places = Places(done)
    one, other = (Day.read(folder) for folder in (places.home(0, 0), places.tried("as before", 0, 1)))
    lines = [{wake.line for wake in day.wakes if wake.line} | set(day.asked) for day in (one, other)]
    assert lines[0]
    assert lines[1]
    assert not lines[0] & lines[1]


def test_all_that_was_done_at_the_desk_is_in_the_log(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Places(done).home(0, 0) / STORE
    assert main(["review", "audit", "verify", "--store", str(store)]) == 0
    capsys.readouterr()
    assert main(["review", "audit", "show", "--store", str(store), "--action", "label", "--json"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(entries) == results(done)["reviewed"]["labels"]
    assert {entry["who"] for entry in entries} == {"simulated-1", "simulated-2"}


def test_killed_and_begun_again_on_two_processors_it_comes_to_the_same(done: Path, talk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-u", "-m", "sim.main", *arguments(out, talk, "--workers", "2")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("reviewing"):
                os.killpg(process.pid, signal.SIGKILL)
    assert not (out / "results.json").exists()
    played = (out / "homes" / "home-1" / "day-1" / "day.json").stat()
    assert main(arguments(out, talk, "--workers", "2")) == 0
    assert (out / "homes" / "home-1" / "day-1" / "day.json").stat().st_mtime_ns == played.st_mtime_ns, "it goes on"
    for name in ("results.json", "verifier-alexa.npz"):
        assert (out / name).read_bytes() == (done / name).read_bytes()


def test_the_same_is_learned_from_the_store_alone(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As from any store that people have annotated; with one day and one device the cross-validation is the same."""
    store = tmp_path / "store"
    shutil.copytree(Places(done).home(0, 0) / STORE, store)
    file = tmp_path / "verifier.npz"
    assert main(["review", "learn", "--store", str(store), "--out", str(file)]) == 0
    found, mine = results(done)["learned"], load_learned(file)
    told = capsys.readouterr().out
    assert f"learned from {found['wakes']['true']} true and {found['wakes']['false']} false wakes" in told
    assert f"wake.threshold={found['threshold']['threshold']:g} " in told
    theirs = load_learned(done / "verifier-alexa.npz")
    assert (mine.weights == theirs.weights).all()
    assert (mine.bias, mine.threshold) == (theirs.bias, theirs.threshold)
    assert main(["review", "audit", "show", "--store", str(store), "--action", "learn", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["details"]["sha256"] == mine.sha256
    assert main(["review", "learn", "--store", str(store), "--out", str(file), "--policy", "apple-2019"]) == 1
    assert "there are 0 true and 0 false wakes" in capsys.readouterr().err


def test_another_loop_is_not_mixed_in(done: Path, talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(done, talk, "--lose", "0.1")) == 1
    assert capsys.readouterr().err == (
        f"misheard: another loop was begun in {done}; go on with its options, or name another --out\n"
    )


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (("--days", "1"), 2, "one day is not enough"),
        (("--homes", "0"), 2, "without homes"),
        (("--error", "0.7"), 1, "--error 0.7 is no such share"),
        (("--workers", "0"), 1, "there must be one at least"),
        (("--policy", "2019-apri"), 2, "the policies are"),
        (("--talk", "/nowhere.yaml"), 2, "cannot be read"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    more: tuple[str, ...], code: int, told: str, talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tmp_path / "out", talk, *more)) == code
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_without_the_voices_it_says_what_to_install(
    talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(arguments(tmp_path / "out", talk)) == 1
    assert "install it with: apt-get install flite" in capsys.readouterr().err


class TestExport:
    """A training set of what was reviewed."""

    def test_each_file_bears_licence_and_consent_and_a_deletion_reaches_it(
        self, done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store = tmp_path / "store"
        shutil.copytree(Places(done).home(0, 0) / STORE, store)
        out = tmp_path / "set"
        assert main(["review", "export", "--store", str(store), "--out", str(out), "--licence", "CC-BY-NC-4.0"]) == 0
        rows = list(csv.DictReader((out / "metadata.csv").open(newline="")))
        assert len(rows) == results(done)["reviewed"]["drawn"]
        assert {(row["licence"], row["consent"]) for row in rows} == {("CC-BY-NC-4.0", "never asked")}
        assert {row["annotators"] for row in rows} == {"2"}
        assert {row["wake_word"] for row in rows} >= {"yes", "no"}
        sounds = {path.name: read_sound(path) for path in out.glob("*.flac")}
        assert sorted(sounds) == sorted(row["file_name"] for row in rows)
        opened = ClipStore(store)
        clips = sorted(clip.id for clip in opened.clips())
        customer = opened.customers.all()[0].number
        whole = opened.audio(clips[0]).tobytes()
        assert whole in {sound.tobytes() for sound in sounds.values()}
        opened.close()
        text = (out / "metadata.csv").read_text()
        assert not any(word in text for word in (customer, "dot-1", "2019-04")), "nothing beside tells whose it is"
        gone = next(name for name, sound in sounds.items() if sound.tobytes() == whole)
        assert main(["review", "delete", "--store", str(store), "--customer", customer, "--clip", clips[0]]) == 0
        assert not (out / gone).exists()
        assert gone not in (out / "metadata.csv").read_text()
        assert len(list(out.glob("*.flac"))) == len(rows) - 1
        assert main(["review", "export", "--store", str(store), "--out", str(out), "--licence", "CC0-1.0"]) == 1
        assert "has other things in it" in capsys.readouterr().err

    def test_a_policy_that_wants_consent_exports_nothing_without_it(
        self, done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store = Places(done).home(0, 0) / STORE
        options = ["--policy", "apple-2019", "--licence", "CC-BY-4.0", "--out", str(tmp_path / "set")]
        assert main(["review", "export", "--store", str(store), *options]) == 1
        assert "never opted in" in capsys.readouterr().err
        assert not (tmp_path / "set").exists()
