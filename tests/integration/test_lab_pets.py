"""`misheard lab pets` on media of one's own, and the study beside them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.main import main
from tests.lab_kit import EVERY_PHASE, OTHER, SAYS, speech, write
from wakeword.sound import RATE

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """Twenty seconds of a film in which somebody calls the device, and somebody else has been to a lecture."""
    quiet = np.zeros(4 * RATE, np.int16)
    pieces = [quiet, speech(EVERY_PHASE), quiet, quiet, speech(SAYS[0]), quiet, quiet, speech(OTHER[1])]
    at = np.cumsum([0, *map(len, pieces)]) / RATE
    write(tmp_path / "media" / "film.flac", np.concatenate(pieces))
    lines = [
        (1, "A lecture about opening windows."),
        (4, "Alexa, what time is it?"),
        (7, "[rustling] Anything in the post?"),
    ]
    cues = [f"{n}\n{clock(at[k])} --> {clock(at[k + 1])}\n{text}\n" for n, (k, text) in enumerate(lines, 1)]
    (tmp_path / "media" / "film.srt").write_text("\n".join(cues))
    return tmp_path / "media"


def clock(seconds: float) -> str:
    return f"00:00:{int(seconds):02},{int(seconds * 1000) % 1000:03}"


def results(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return found


def test_our_device_takes_part_in_the_study(media: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    assert main(["lab", "pets", "--media", str(media), "--passes", "4", "--out", str(out)]) == 0
    found = results(out)["media"]
    (film,) = found["films"]
    assert (film["name"], film["words"]) == ("film", 5 + 5 + 4)
    by_text = {row["context"]: row for row in found["wakes"]}
    false, true = by_text["A lecture about opening windows."], by_text["Alexa, what time is it?"]
    assert (false["said"], false["repeated"]["woke"], false["repeatability"]) == (False, 4, "high")
    assert (true["said"], true["repeated"]["woke"]) == (True, 4)
    (line,) = found["devices"]
    assert line["all_shows"]["events"] == 1  # the one that was called does not count
    assert line["all_shows"]["per_hour"] == pytest.approx(1 / film["hours"])
    assert [each["events"] for each in line["classes"]] == [0, 0, 1]
    assert "openwakeword" in capsys.readouterr().out
    with (out / "wakes.csv").open() as file:
        assert {row["context"] for row in csv.DictReader(file)} == by_text.keys()


def test_in_a_room_it_is_heard_as_well_and_otherwise(media: Path, tmp_path: Path) -> None:
    room = ["--room", "6,4.5,2.6,0.8,4.5"]
    dry, wet = (tmp_path / name for name in ("dry", "wet"))
    asked = ["lab", "pets", "--media", str(media), "--passes", "2", "--out"]
    assert main([*asked, str(dry)]) == main([*asked, str(wet), *room]) == 0
    (line,), both = results(dry)["media"]["devices"], results(wet)["media"]["devices"]
    assert both[0] == line  # as it is, it is what it was
    assert both[1]["label"] == "openwakeword, 6 x 4.5 x 2.6 m, 0.8 s, at 4.5 m"
    woke = {(row["engine"], row["said"]): row["repeated"]["woke"] for row in results(wet)["media"]["wakes"]}
    assert woke["openwakeword", True] == woke["openwakeword", False] == 2
    assert woke.get((both[1]["label"], False), 0) < 2  # the lecture is taken for it less often there
    assert results(wet)["manifest"]["conditions"][1] == "room 6 x 4.5 x 2.6 m, 0.8 s, at 4.5 m, 30 dB pink"


def test_passes_are_of_the_seed(media: Path, tmp_path: Path) -> None:
    written = []
    for number, seed in enumerate(("5", "5", "6")):
        out = tmp_path / f"out{number}"
        asked = ["--passes", "2", "--seed", seed, "--plot", f"{out}.svg", "--out", str(out)]
        assert main(["lab", "pets", "--media", str(media), *asked]) == 0
        written.append((out / "results.json").read_bytes())
    assert written[0] == written[1] != written[2]
    assert (tmp_path / "out0.svg").read_bytes() == (tmp_path / "out1.svg").read_bytes()


def test_the_study_stands_beside_it(shared_data: Path, media: Path, tmp_path: Path, capsys: Capture) -> None:
    asked = ["--data", str(shared_data / "pets2020"), "--media", str(media), "--passes", "2"]
    assert main(["lab", "pets", *asked, "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "10 in 10.55 h, 0.948 an hour, 1.434 per 10,000 words" in out
    assert "an Echo: 3.13 a day" in out
    with (tmp_path / "out" / "rows.csv").open() as file:
        assert [row["source"] for row in csv.DictReader(file)] == ["study"] * 14 + ["own"]


def test_subtitles_that_lie_elsewhere_are_told(media: Path, tmp_path: Path, capsys: Capture) -> None:
    path = media / "film.srt"
    path.write_text(path.read_text().replace("00:00:04", "00:00:01").replace("00:00:05", "00:00:02"))
    text = path.read_text()
    assert "00:00:01," in text
    asked = ["lab", "pets", "--media", str(media), "--passes", "2", "--out", str(tmp_path / "out")]
    assert main(asked) == 1
    assert "film.flac drift: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ([], "name the study's data with --data, or media of your own"),
        (["--data", "gone"], "gone holds no PETS 2020 data"),
        (["--media", "gone"], "gone is no folder that is there"),
        (["--media", "MEDIA", "--passes", "1"], "--passes 1: the protocol needs two at least"),
        (["--media", "MEDIA", "--room", "5,4"], "--room 5,4 is not LENGTH,WIDTH,HEIGHT,RT60,DISTANCE"),
        (["--media", "ALONE"], "alone.srt has no sound of the same name beside it"),
        (["--media", "EMPTY"], "holds no subtitles"),
        (["--media", "SHORT"], "give the subtitles of this very sound"),
    ],
)
def test_bad_input_is_one_sentence(asked: list[str], told: str, media: Path, tmp_path: Path, capsys: Capture) -> None:
    subtitles = (media / "film.srt").read_text()
    for name in ("alone", "empty", "short"):
        (tmp_path / name).mkdir()
    (tmp_path / "alone" / "alone.srt").write_text(subtitles)
    (tmp_path / "short" / "film.srt").write_text(subtitles)
    write(tmp_path / "short" / "film.wav", speech(SAYS[0]))
    places = {"MEDIA": media, **{name.upper(): tmp_path / name for name in ("alone", "empty", "short")}}
    asked = [str(places.get(each, each)) for each in asked]
    assert main(["lab", "pets", *asked, "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1
