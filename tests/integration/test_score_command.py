"""`misheard score` as a person or a script runs it: real models, real files, a real terminal."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from sim.main import main
from wakeword import HOP, RATE, load_scorer
from wakeword.sound import read_sound


@pytest.fixture(scope="module")
def kitchen(needs: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some seconds at 44.1 kHz in stereo, in which nobody says Alexa: it wakes once all the same."""
    folder = tmp_path_factory.mktemp("kitchen")
    subprocess.run([needs("flite"), "-voice", "rms", "-t", "Lexus.", "-o", folder / "said.wav"], check=True)
    said = read_sound(folder / "said.wav")
    quiet = np.random.default_rng(1).normal(0, 20, 3 * RATE).astype(np.int16)
    soundfile.write(folder / "mono.wav", np.concatenate([quiet, said, quiet]), RATE)
    sound = soxr.resample(soundfile.read(folder / "mono.wav")[0], RATE, 44100)
    soundfile.write(folder / "kitchen.flac", np.stack([sound, sound], axis=1), 44100, subtype="PCM_24")
    return folder / "kitchen.flac"


def test_the_table_tells_of_the_wake_and_of_the_licence(kitchen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(kitchen)]) == 0
    out, err = capsys.readouterr()
    head, line, *notes = out.splitlines()
    assert head.split() == ["file", "length", "word", "highest", "at", "heard"]
    assert line.startswith(f"{kitchen} ")
    assert "1 wake at " in line
    assert notes == ["Models: CC BY-NC-SA 4.0 (openWakeWord's pre-trained models: not for commercial use)"]
    assert err == ""


def test_json_lines_are_the_scorers_own_scores(kitchen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(kitchen), "--scores", "--model", "alexa", "--model", "hey_jarvis"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    facts = json.loads(line)
    alexa, jarvis = facts["words"]
    expected = load_scorer("alexa").score(read_sound(kitchen))
    np.testing.assert_allclose(alexa["scores"], expected, atol=2e-5)
    assert [alexa["model"], jarvis["model"]] == ["alexa", "hey_jarvis"]
    assert facts["seconds"] == pytest.approx(len(read_sound(kitchen)) / RATE, abs=1e-4)
    (wake,) = alexa["wakes"]
    assert wake["score"] == pytest.approx(expected[round(wake["at_s"] * RATE) // HOP - 1], abs=2e-5)
    assert 3 < wake["at_s"] < 5
    assert jarvis["wakes"] == []
    assert main(["score", str(kitchen), "--format", "jsonl"]) == 0
    assert "scores" not in json.loads(capsys.readouterr().out)["words"][0]


def test_a_threshold_decides_what_wakes(kitchen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wakes = {}
    for threshold in ("0.05", "0.5", "1.0"):
        assert main(["score", str(kitchen), "--format", "csv", "--threshold", threshold]) == 0
        (row,) = csv.DictReader(StringIO(capsys.readouterr().out))
        assert float(row["threshold"]) == float(threshold)
        wakes[threshold] = bool(row["wakes_s"])
        assert wakes[threshold] == (float(row["highest"]) >= float(threshold))
    assert wakes["0.5"]


def test_the_other_engines_score_too(kitchen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for engine, threshold in (("micro", 0.9), ("reference", 0.5)):
        assert main(["score", str(kitchen), "--engine", engine, "--format", "jsonl"]) == 0
        facts = json.loads(capsys.readouterr().out)
        assert facts["engine"] == engine
        assert facts["words"][0]["threshold"] == threshold
        assert 0 < facts["words"][0]["highest"] <= 1


def test_files_that_cannot_be_read_do_not_stop_the_others(
    kitchen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "note.wav").write_text("no sound")
    (tmp_path / "cut.flac").write_bytes(kitchen.read_bytes()[:-40_000])
    files = [str(tmp_path / "nowhere.wav"), str(tmp_path / "note.wav"), str(tmp_path / "cut.flac"), str(kitchen)]
    assert main(["score", *files, "--format", "jsonl"]) == 1
    out, err = capsys.readouterr()
    cut, whole = map(json.loads, out.splitlines())
    assert cut["file"] == files[2]
    assert cut["seconds"] < whole["seconds"]
    assert cut["damage"]
    assert whole["file"] == files[3]
    assert whole["damage"] is None
    sentences = err.splitlines()
    assert len(sentences) == 3
    assert all(line.startswith(f"misheard: {file} ") for line, file in zip(sentences, files, strict=False))


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--model", "alexia"], 2, "did you mean alexa"),
        (["--engine", "openwakewrod"], 2, "did you mean openwakeword"),
        (["--threshold", "0"], 2, "--threshold"),
        (["--threshold", "loud"], 2, "--threshold"),
        (["--plot", "scores.txt"], 2, "ends in none of .png, .svg, .pdf"),
        (["--format", "xml"], 2, "--format"),
        (["--modle", "alexa"], 2, "--modle"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    arguments: list[str], code: int, told: str, kitchen: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        given = main(["score", str(kitchen), *arguments])
    except SystemExit as stop:
        given = stop.code if isinstance(stop.code, int) else -1
    out, err = capsys.readouterr()
    assert given == code
    assert out == ""
    assert told in err
    assert "Traceback" not in err


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_plot_is_drawn_the_same_each_time(suffix: str, kitchen: Path, tmp_path: Path) -> None:
    picture, again = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    for path in (picture, again):
        assert main(["score", str(kitchen), "--model", "alexa", "--model", "timer", "--plot", str(path)]) == 0
    assert picture.read_bytes() == again.read_bytes()
    assert picture.read_bytes().startswith(b"\x89PNG" if suffix == "png" else b"<?xml")
    if suffix == "svg":
        text = picture.read_text()
        for shown in (kitchen.name, "threshold 0.5", "wake", "near-miss margin", "warming up", "timer", "seconds"):
            assert shown in text, f"{shown} is in the picture"


def test_what_keeps_a_plot_from_being_drawn_is_one_sentence(
    kitchen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(kitchen), "--plot", str(tmp_path / "nowhere" / "a.png")]) == 1
    assert "nowhere/a.png cannot be written" in capsys.readouterr().err
    assert main(["score", *([str(kitchen)] * 201), "--plot", str(tmp_path / "a.png")]) == 1
    out, err = capsys.readouterr()
    assert err == "misheard: a plot has room for 200 files, not 201; plot fewer at a time\n"
    assert out == "", "known before the work is done"
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["score", str(kitchen), "--plot", str(tmp_path / "a.png")]) == 1
    out, err = capsys.readouterr()
    assert err.startswith("misheard: a plot needs matplotlib, which is not installed; install it with: pip install")
    assert out == ""


def test_the_progress_bar_goes_to_the_terminal_and_the_results_into_the_pipe(kitchen: Path) -> None:
    command = "import sys, wakeword.command as c; c._PATIENCE_S = 0; from sim.main import main; sys.exit(main())"
    terminal, side = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", command, "score", "--format", "jsonl", *([str(kitchen)] * 3)],
            stdout=subprocess.PIPE,
            stderr=side,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
            timeout=60,
            check=False,
        )
        os.close(side)
        shown = b""
        while chunk := _read(terminal):
            shown += chunk
    finally:
        os.close(terminal)
    assert done.returncode == 0
    assert [json.loads(line)["file"] for line in done.stdout.splitlines()] == [str(kitchen)] * 3
    assert b"scoring" in shown
    assert b"100%" in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed, and all has been read
        return b""
