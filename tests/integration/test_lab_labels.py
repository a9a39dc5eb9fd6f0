"""`misheard lab labels` and `misheard lab cite`, of a run and of an evaluation."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest

from sim.main import main
from tests.lab_kit import OTHER, SAYS, folder_of
from wakeword.sound import RATE, read_sound

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of `true-commands`, in which people speak to the device."""
    out = tmp_path_factory.mktemp("runs") / "true-commands"
    assert main(["sim", "true-commands", "--recognizer", "none", "--out", str(out)]) in (0, 1)
    return out


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated")
    said, talk = folder_of(folder / "said", *SAYS), folder_of(folder / "talk", *OTHER)
    sets = ["--positives", str(said), "--negatives", str(talk), "--no-listen"]
    assert main(["lab", "evaluate", *sets, "--out", str(folder / "out")]) == 0
    return folder / "out"


def test_a_run_becomes_labels(commands: Path, tmp_path: Path) -> None:
    for name in ("audacity", "rttm", "textgrid"):
        assert main(["lab", "labels", str(commands), "--format", name, "--out", str(tmp_path / name)]) == 0
    (track,) = (tmp_path / "audacity").iterdir()
    (turns,) = (tmp_path / "rttm").iterdir()
    (grid,) = (tmp_path / "textgrid").iterdir()
    events = [json.loads(line) for line in (commands / "events.jsonl").read_text().splitlines()]
    said = [event for event in events if event["kind"] == "said"]
    wakes = [event for event in events if event["kind"] == "wake"]
    assert len([line for line in track.read_text().splitlines() if "\twake: alexa" in line]) == len(wakes) > 0
    people = {event["who"] for event in said}
    starts = [line.split()[3] for line in turns.read_text().splitlines() if line.split()[7] in people]
    assert starts == [f"{event['begin'] / RATE:.3f}" for event in sorted(said, key=lambda event: event["begin"])]
    assert all(f'name = "{who}"' in grid.read_text() for who in people)


def test_a_run_becomes_a_test_set(commands: Path, tmp_path: Path) -> None:
    """What the microphone heard of each line, with the wake word in its place: the lab finds it again."""
    out = tmp_path / "set"
    assert main(["lab", "labels", str(commands), "--format", "audiofolder", "--out", str(out)]) == 0
    with (out / "positives" / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert all("alexa" in row["text"].lower() and 0 <= float(row["word_begin_s"]) < 1 for row in rows)
    asked = ["--positives", str(out / "positives"), "--no-listen", "--out", str(tmp_path / "found")]
    assert main(["lab", "evaluate", *asked]) == 0
    row = json.loads((tmp_path / "found" / "results.json").read_text())["rows"][0]
    assert row["words"] == len(rows) > 2
    assert row["misses"] <= 1
    assert -200 < row["delay"]["median_ms"] < 400


def test_an_evaluation_becomes_labels_and_a_test_set(evaluated: Path, tmp_path: Path) -> None:
    assert main(["lab", "labels", str(evaluated), "--out", str(tmp_path / "tracks")]) == 0
    tracks = sorted((tmp_path / "tracks").iterdir())
    assert len(tracks) == 5
    assert sum("openwakeword: answers" in track.read_text() for track in tracks) == 3
    out = tmp_path / "set"
    assert main(["lab", "labels", str(evaluated), "--format", "audiofolder", "--out", str(out)]) == 0
    assert [len(list((out / name).glob("*.flac"))) for name in ("positives", "negatives")] == [3, 2]
    copied = next((out / "positives").glob(f"*{SAYS[0]}.flac"))
    original = evaluated.parent / "said" / f"{SAYS[0]}.flac"
    assert (read_sound(copied) == read_sound(original)).all()


def test_a_sound_that_has_changed_since_is_refused(tmp_path: Path, capsys: Capture) -> None:
    said = folder_of(tmp_path / "said", SAYS[0])
    assert main(["lab", "evaluate", "--positives", str(said), "--no-listen", "--out", str(tmp_path / "out")]) == 0
    (said / f"{SAYS[0]}.flac").write_bytes((folder_of(tmp_path, SAYS[1]) / f"{SAYS[1]}.flac").read_bytes())
    asked = ["lab", "labels", str(tmp_path / "out"), "--format", "audiofolder", "--out", str(tmp_path / "set")]
    assert main(asked) == 2
    assert "is not what was evaluated" in capsys.readouterr().err
    (said / f"{SAYS[0]}.flac").unlink()
    assert main([*asked[:-1], str(tmp_path / "other")]) == 2
    assert "only sets of recordings can be written out" in capsys.readouterr().err


def test_labels_never_replace_anything(commands: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["lab", "labels", str(commands), "--out", str(tmp_path)]) == 2
    assert "is there already; choose another folder" in capsys.readouterr().err
    assert main(["lab", "labels", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_cite_says_what_it_takes_to_repeat_an_evaluation(evaluated: Path, capsys: Capture) -> None:
    assert main(["lab", "cite", str(evaluated)]) == 0
    out = capsys.readouterr().out
    found = json.loads((evaluated / "results.json").read_text())
    (engine,) = found["manifest"]["engines"]
    for told in (
        engine["sha256"][:16],
        "threshold 0.5",
        "with seed 0",
        "5 clips, 3 wake words",
        "CC BY-NC-SA",
        "Garwood",
    ):
        assert told in out
    assert hashlib.sha256((evaluated / "results.json").read_bytes()).hexdigest() in out
    assert "Allen" not in out  # no room was heard
    capsys.readouterr()
    assert main(["lab", "cite", str(evaluated / "results.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["facts"]["engines"] == [engine]


def test_cite_says_what_it_takes_to_repeat_a_run(commands: Path, capsys: Capture) -> None:
    assert main(["lab", "cite", str(commands)]) == 0
    out = capsys.readouterr().out
    sound = json.loads((commands / "run.json").read_text())["manifest"]["sound"]
    for told in ("Scenario true-commands", sound[:16], "model alexa", "Pyroomacoustics", "Flite"):
        assert told in out


def test_cite_of_nothing_is_one_sentence(tmp_path: Path, capsys: Capture) -> None:
    assert main(["lab", "cite", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    (tmp_path / "run.json").write_text("[]")
    assert main(["lab", "cite", str(tmp_path)]) == 2
    assert "is of no run" in capsys.readouterr().err
