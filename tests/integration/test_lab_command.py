"""`misheard lab evaluate` and `compare` as a person or a script runs them: real models on speech that ships."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.main import main
from tests.lab_kit import OTHER, SAYS, WAKES, folder_of, pink, speech, write
from wakeword.sound import RATE

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def said(tmp_path: Path) -> Path:
    """Three people's "Alexa", one of them labelled."""
    folder = folder_of(tmp_path / "said", *SAYS)
    rows = [f"{SAYS[0]}.flac,0.02,0.5,slt", f"{SAYS[1]}.flac,,,rms", f"{SAYS[2]}.flac,,,rms"]
    (folder / "metadata.csv").write_text("\n".join(["file_name,word_begin_s,word_end_s,voice", *rows]))
    return folder


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "talk", *OTHER, WAKES)


def results(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return found


def test_evaluate_counts_events_with_their_intervals(said: Path, talk: Path, tmp_path: Path, capsys: Capture) -> None:
    sets = ["--positives", str(said), "--negatives", str(talk)]
    assert main(["lab", "evaluate", *sets, "--snr", "20", "--no-listen", "--out", str(tmp_path / "out")]) == 0
    found = results(tmp_path / "out")
    assert [row["condition"] for row in found["rows"] if not row["voice"]] == ["as it is", "20 dB pink"]
    row = found["rows"][0]
    assert (row["words"], row["misses"], row["false_wakes"]) == (3, 0, 1)
    assert row["miss_interval"] == pytest.approx([0, 0.5615], abs=1e-4)
    hours = sum(len(speech(name)) for name in (*OTHER, WAKES)) / RATE / 3600
    before = 0.02 / 3600  # of the labelled word; what follows it is over within the second in which it may be answered
    assert row["hours"] == pytest.approx(hours + before, rel=1e-6)
    assert row["false_interval"][1] == pytest.approx(5.572 / row["hours"], rel=1e-3)
    assert row["delay"]["words"] == 1  # of the two others nobody wrote down when it was said
    assert -300 < row["delay"]["median_ms"] < 500
    (outcome,) = [each for each in found["clips"] if WAKES in each["name"]]
    assert len(outcome["heard"][0]["false_s"]) == 1
    (engine,) = found["manifest"]["engines"]
    assert (engine["engine"], engine["threshold"], len(engine["sha256"])) == ("openwakeword", 0.5, 64)
    out = capsys.readouterr().out
    assert "6 clips, 3 wake words" in out
    assert "0/3: 0.0 % (0.0 to" in out
    with (tmp_path / "out" / "curves.csv").open() as file:
        curve = [line for line in csv.DictReader(file) if line["condition"] == "as it is"]
    assert [float(line["threshold"]) for line in curve] == sorted(float(line["threshold"]) for line in curve)
    assert float(curve[-1]["miss_rate"]) >= float(curve[0]["miss_rate"])


def test_the_same_question_has_the_same_bytes_for_an_answer(said: Path, talk: Path, tmp_path: Path) -> None:
    written = []
    for out in (tmp_path / "one", tmp_path / "other"):
        sets = ["--positives", str(said), "--negatives", str(talk), "--snr", "10", "--seed", "3"]
        main(["lab", "evaluate", *sets, "--no-listen", "--plot", str(out) + ".svg", "--out", str(out)])
        written.append([(out / "results.json").read_bytes(), (tmp_path / f"{out.name}.svg").read_bytes()])
    assert written[0] == written[1]


def test_the_threshold_of_the_device_is_the_threshold_of_the_lab(said: Path, tmp_path: Path) -> None:
    asked = ["--set", "wake.threshold=0.123", "--no-listen", "--out", str(tmp_path / "out")]
    assert main(["lab", "evaluate", "--positives", str(said), *asked]) == 0
    row = results(tmp_path / "out")["rows"][0]
    assert row["threshold"] == 0.123
    assert any(at["threshold"] == 0.123 for at in row["curve"])
    assert row["false_per_hour"] is not None  # beside the labelled word there is some sound without one


def test_no_sound_without_the_word_is_no_rate(tmp_path: Path, capsys: Capture) -> None:
    folder = folder_of(tmp_path / "said", *SAYS)
    assert main(["lab", "evaluate", "--positives", str(folder), "--no-listen", "--out", str(tmp_path / "out")]) == 0
    row = results(tmp_path / "out")["rows"][0]
    assert (row["false_per_hour"], row["false_interval"], row["wished"]["threshold"]) == (None, [0, None], None)
    assert "0.000 h of sound without one" in capsys.readouterr().out


def test_a_wake_word_among_the_negatives_is_found_and_listed(talk: Path, tmp_path: Path, capsys: Capture) -> None:
    folder_of(talk, SAYS[1])
    assert main(["lab", "evaluate", "--negatives", str(talk), "--out", str(tmp_path / "out")]) == 1
    found = results(tmp_path / "out")
    assert [Path(each["clip"]).stem for each in found["suspected"]] == [SAYS[1]]
    assert found["rows"][0]["false_wakes"] == 2  # they count until somebody has listened
    out, err = capsys.readouterr()
    assert f"alexa may really be said in {talk}/{SAYS[1]}.flac" in err
    assert "1 of the false wakes may be wake words after all" in out


def test_what_cannot_be_counted_is_named_and_left_out(said: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = folder_of(tmp_path / "more", SAYS[0])
    write(folder / "hiss.wav", pink(1.0))
    (folder / "broken.wav").write_bytes(b"RIFFnothing")
    sets = ["--positives", str(said), "--positives", str(folder)]
    assert main(["lab", "evaluate", *sets, "--no-listen", "--out", str(tmp_path / "out")]) == 1
    assert {Path(each["clip"]).name for each in results(tmp_path / "out")["left_out"]} == {
        "hiss.wav",
        "broken.wav",
        f"{SAYS[0]}.flac",
    }
    err = capsys.readouterr().err
    assert "hiss.wav: a wake word is said to be in it, and it holds no speech" in err
    assert results(tmp_path / "out")["rows"][0]["words"] == 3


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["evaluate"], "no sound is named"),
        (["evaluate", "--positives", "gone"], "gone is no folder, sound or text that is there"),
        (["evaluate", "--positives", "SAID", "--engine", "mikro"], "did you mean micro?"),
        (["evaluate", "--positives", "SAID", "--room", "1,2"], "--room 1,2 is not LENGTH,WIDTH,HEIGHT"),
        (["evaluate", "--positives", "SAID", "--negatives", "SAID"], "is in the set twice"),
        (["evaluate", "--positives", "SAID", "--set", "wake.treshold=1"], "threshold"),
        (["compare", "--positives", "SAID"], "name at least 2 engines"),
    ],
)
def test_bad_input_is_one_sentence(asked: list[str], told: str, said: Path, tmp_path: Path, capsys: Capture) -> None:
    (said / "metadata.csv").unlink()
    asked = [str(said) if each == "SAID" else each for each in asked]
    assert main(["lab", *asked, "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1


def test_results_of_something_else_are_not_replaced(said: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    asked = ["--positives", str(said), "--no-listen", "--out", str(out)]
    assert main(["lab", "evaluate", *asked]) == 0
    assert main(["lab", "evaluate", *asked]) == 0
    assert main(["lab", "compare", "--engine", "openwakeword", "--engine", "reference", *asked]) == 2
    assert "holds results of lab evaluate; choose another folder" in capsys.readouterr().err
    assert main(["lab", "evaluate", "--positives", str(said), "--out", str(said)]) == 2
    assert "holds something else than results" in capsys.readouterr().err


def test_compare_takes_engines_clip_by_clip(said: Path, talk: Path, tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("pymicro_wakeword")
    out = tmp_path / "out"
    sets = ["--positives", str(said), "--negatives", str(talk), "--no-listen"]
    assert main(["lab", "compare", *sets, "--engine", "openwakeword", "--engine", "micro", "--out", str(out)]) == 0
    found = results(out)
    own = [each for each in found["differences"] if each["at"] == "own threshold"]
    assert [each["measure"] for each in own] == ["miss rate", "false wakes per hour"]
    rates = [row["false_per_hour"] for row in found["rows"] if not row["voice"]]
    assert own[1]["difference"] == pytest.approx(rates[0] - rates[1])
    assert own[1]["interval"][0] <= own[1]["difference"] <= own[1]["interval"][1]
    assert "openwakeword - micro" in " ".join(capsys.readouterr().out.split())


def test_the_sets_may_be_spoken(needs: Callable[[str], str], tmp_path: Path) -> None:
    needs("flite")
    (tmp_path / "say.txt").write_text("Alexa, what time is it?\nAlexa, stop.\n")
    (tmp_path / "talk.txt").write_text("Good morning.\nThe soup is hot.\n\nWe went home.\n")
    sets = ["--positives", str(tmp_path / "say.txt"), "--negatives", str(tmp_path / "talk.txt")]
    voices = ["--voice", "flite:slt", "--voice", "flite:rms"]
    assert main(["lab", "evaluate", *sets, *voices, "--out", str(tmp_path / "out")]) == 0
    found = results(tmp_path / "out")
    assert [row["voice"] for row in found["rows"]] == ["", "flite:slt", "flite:rms"]
    assert found["rows"][0]["words"] == 4
    assert found["rows"][0]["delay"]["words"] == 4 - found["rows"][0]["misses"]


def test_a_long_stream_is_both(tmp_path: Path) -> None:
    quiet = np.zeros(3 * RATE, np.int16)
    said = [speech(SAYS[0]), quiet, speech(WAKES), quiet, speech(SAYS[1]), quiet]
    sound = write(tmp_path / "evening.wav", np.concatenate(said))
    at = np.cumsum([0, *map(len, said)]) / RATE
    (tmp_path / "evening.txt").write_text(f"{at[0]:.2f}, {at[0] + 0.6:.2f}\n{at[4]:.2f}, {at[4] + 0.7:.2f}\n")
    assert main(["lab", "evaluate", "--stream", str(sound), "--no-listen", "--out", str(tmp_path / "out")]) == 0
    row = results(tmp_path / "out")["rows"][0]
    assert (row["words"], row["misses"], row["false_wakes"], row["delay"]["words"]) == (2, 0, 1, 2)
