"""The evening as a picture, and the command that draws a run again."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from device.rundir import RunDirectory
from sim.main import main
from sim.report import write_figure
from tests.report_kit import Evening, oregon_run
from wakeword.frames import HOP
from wakeword.sound import RATE


def words_of(svg: Path) -> str:
    """What is written in it: matplotlib keeps each text as a comment beside its outlines."""
    return "\n".join(re.findall(r"<!-- (.*?) -->", svg.read_text(encoding="utf-8"), re.DOTALL))


def drawn(folder: Path) -> str:
    picture = folder.parent / "picture.svg"
    write_figure(folder, picture)
    return words_of(picture)


@pytest.mark.parametrize(("suffix", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_picture_is_the_same_each_time(suffix: str, begins: bytes, tmp_path: Path) -> None:
    folder = oregon_run(tmp_path / "run")
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    for path in (first, second):
        write_figure(folder, path)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(begins)


def test_the_picture_tells_the_evening(tmp_path: Path) -> None:
    text = drawn(oregon_run(tmp_path / "run"))
    for told in (
        "portland: An evening.", "ann", "ben", "microphone", "heard", "device says", "“alexa”", "light", "decisions",
        "sound that left the home", "light: listening", "0.53", "0.5", "I went to the lecture about humidity last",
        "“To whom?”", "ann: 38 vs 61 dB, not heard", "ben: 38 vs 30 dB, heard",
        "1  Woke: “lecture” taken for “alexa” (0.53, 0.5 needed)",
        "4  The device said “To whom?”, heard by nobody (ann 38 dB against 61 dB; ben 37 dB against 58 dB)",
        "5  Heard a name: “Frank had”, heard as “frank had” taken for Frank (0.71, 0.65 needed)",
    ):  # fmt: skip
        assert told in text, told


def test_of_a_long_run_the_chain_is_drawn(tmp_path: Path) -> None:
    home = Evening(seconds=300.0)
    woke = 200 * RATE // HOP * HOP
    home.tell(woke, "wake", word="alexa", model="", score=0.61, threshold=0.5, warming_up=False)
    home.capture(woke - 16_000, woke + 64_000, "wakeword", "so i sent a message")
    home.tell(299 * RATE, "heartbeat", hops=1)
    text = drawn(home.write(tmp_path / "run"))
    assert "(3:14.00 to 3:29.00)" in text
    assert "5.0 s left the home" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert "I went to the lecture" not in text


def test_each_device_has_its_strips(tmp_path: Path) -> None:
    folder = oregon_run(tmp_path / "run")
    Evening("hall").write(folder / "devices" / "hall")
    text = drawn(folder)
    assert text.count("microphone") == 2
    assert "hall" in text
    assert text.count("I went to the lecture") == 1


def test_names_and_prices_are_no_formulas(tmp_path: Path) -> None:
    home = Evening()
    home.lines.append((512_000, 560_000, "$a_{", "It was $5, or $6 \\frac."))
    home.tell(512_000, "said", who="$a_{", text="It was $5, or $6 \\frac.", begin=512_000, end=560_000, to=None)
    assert "$6 \\frac." in drawn(home.write(tmp_path / "run"))


@pytest.mark.parametrize("missing", ["events.jsonl", "scores.npy", "labels.txt", "home.flac", "clips/metadata.csv"])
def test_what_is_missing_is_not_drawn(missing: str, tmp_path: Path) -> None:
    folder = oregon_run(tmp_path / "run")
    (folder / missing).unlink()
    assert "portland" in drawn(folder)


def test_a_run_in_which_nothing_happened_is_drawn(tmp_path: Path) -> None:
    RunDirectory(tmp_path / "run", Evening().stream, ("alexa",), keep_audio=True).close({})
    assert "Nothing woke the device." in drawn(tmp_path / "run")


def test_the_command_draws_a_run_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = oregon_run(tmp_path / "run")
    assert main(["report", str(folder), "--figure", str(tmp_path / "a.png")]) == 0
    assert capsys.readouterr().out == f"{folder / 'report.html'}\n{tmp_path / 'a.png'}\n"
    assert (folder / "report.html").stat().st_size > 100_000
    assert main(["report", str(tmp_path / "nowhere")]) == 1
    assert "give the directory of a run that ended" in capsys.readouterr().err


def test_what_keeps_a_picture_from_being_drawn_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = oregon_run(tmp_path / "run")
    with pytest.raises(SystemExit) as caught:
        main(["report", str(folder), "--figure", "a.jpg"])
    assert caught.value.code == 2
    assert "a.jpg ends in none of .png, .svg, .pdf" in capsys.readouterr().err
    assert main(["report", str(folder), "--figure", str(tmp_path / "nowhere" / "a.png")]) == 1
    assert "nowhere/a.png cannot be written" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["report", str(folder), "--figure", str(tmp_path / "a.png")]) == 1
    assert "install it with: pip install matplotlib" in capsys.readouterr().err
