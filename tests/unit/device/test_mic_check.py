"""`misheard mic-check`: what it measures of sound whose content is known, and how it looks."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import device.microphone
from device.audio import ArraySource, Block
from device.cards import Card
from device.config import WakeSettings
from device.mic_check import Examination
from device.mic_view import WIDTH, View, score_bar, summary
from device.usb import UsbCard
from sim.main import main
from tests.firmware_kit import FakeScorers, FakeVoice, Sound, sound_of
from wakeword.frames import HOP
from wakeword.sound import RATE, encode_flac


def said(*pieces: tuple[int, float, float]) -> Sound:
    """So many hops each, with this score and this probability of speech."""
    sounds, clock = [], 0
    for count, alexa, speech in pieces:
        sounds.append(sound_of(clock, count * HOP, alexa=alexa, speech=speech))
        clock += count * HOP
    return np.concatenate(sounds)


SCENE = said((20, 0, 0), (5, 0, 1), (1, 0.9, 1), (40, 0, 0), (1, 0.45, 1), (30, 0, 0))


def examined(sound: Sound) -> Examination:
    examination = Examination(WakeSettings(), FakeScorers(), FakeVoice())
    for block in ArraySource(sound).blocks():
        examination.hear(block)
    examination.finish()
    return examination


def test_wakes_near_misses_and_speech_are_counted() -> None:
    examination = examined(SCENE)
    facts = examination.facts("scene")
    assert facts["seconds"] == pytest.approx(97 * 0.08)
    assert facts["spoken_s"] == pytest.approx(7 * 0.08)
    word = examination.words["alexa"]
    assert [round(each.score, 1) for each in word.wakes] == [0.9]
    assert [round(each.score, 2) for each in word.near_misses] == [0.45]
    assert word.highest == pytest.approx(0.9, abs=0.01)


def test_a_gap_is_lost_sound_and_not_silence() -> None:
    examination = Examination(WakeSettings(), FakeScorers(), FakeVoice())
    examination.hear(Block(0, SCENE[: 10 * HOP]))
    examination.hear(Block(30 * HOP, SCENE[: 10 * HOP], 20 * HOP, "late"))
    assert examination.lost == {"late": 20 * HOP}
    assert examination.clock == 40 * HOP
    assert examination.level().seconds == pytest.approx(20 * 0.08)
    assert "1.60 s of sound were lost (late)" in "\n".join(examination.advice())


def test_advice_asks_for_the_word_and_points_to_tune() -> None:
    assert "nobody spoke; say the wake word" in "\n".join(examined(SCENE[: 20 * HOP]).advice())
    near = said((20, 0, 0), (1, 0.45, 1), (30, 0, 0))
    assert "'alexa' was nearly heard 1 times and heard 0 times; misheard tune" in "\n".join(examined(near).advice())


def test_the_screen_shows_level_score_and_what_happened() -> None:
    examination = Examination(WakeSettings(), FakeScorers(), FakeVoice())
    view = View(examination, "stick")
    for block in ArraySource(SCENE).blocks():
        for now in examination.hear(block):
            view.take(now)
    view.tell("! the microphone is gone", "red")
    console = Console(width=110, record=True, file=io.StringIO())
    console.print(view.render())
    console.print(summary(examination))
    text = console.export_text()
    for words in ("stick", "dBFS", "woke on “alexa”, 0.90", "near miss: “alexa” 0.45 under 0.5", "! the microphone is"):
        assert words in text
    assert "wakes 1, near misses 1, highest 0.90" in text


def test_the_score_bar_has_its_mark_at_the_threshold() -> None:
    bar = score_bar(0.25, 0.5).plain
    assert (bar.index("┃"), bar.count("█"), len(bar)) == (WIDTH // 2, WIDTH // 4, WIDTH)


# ---- the command ----


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.flac"
    path.write_bytes(encode_flac((9000 * np.sin(np.arange(3 * RATE) / 9)).astype(np.int16)))
    return path


def test_a_file_gives_the_same_json_every_time(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for _ in range(2):
        assert main(["mic-check", "--source", str(tone), "--seconds", "2", "--json"]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    facts = json.loads(told[0])
    assert facts["seconds"] == 2.0
    assert facts["level"]["rms_dbfs"] == pytest.approx(20 * np.log10(9000 / 32768 / np.sqrt(2)), abs=0.1)
    assert facts["words"]["alexa"]["threshold"] == 0.5


def test_a_microphone_that_gives_nothing_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent = tmp_path / "silent.flac"
    silent.write_bytes(encode_flac(np.zeros(RATE, np.int16)))
    assert main(["mic-check", "--source", str(silent)]) == 1
    assert "nothing but the value 0" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("seconds", ["0", "-1", "inf", "soon"])
def test_wrong_seconds_are_refused(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["mic-check", "--seconds", seconds])
    assert caught.value.code == 2
    assert "no number of seconds" in capsys.readouterr().err


def test_the_list_names_sticks_by_serial_and_port(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cards = [
        Card(0, "Stick: Audio (hw:1,0)", 1, 0, 48_000.0, UsbCard(1, "Stick", "A1", "1-1.2")),
        Card(1, "Box: Audio (hw:2,0)", 0, 2, 48_000.0),
    ]
    default = {"microphone": 0, "loudspeaker": -1}
    monkeypatch.setattr(device.microphone, "list_cards", lambda: (cards, default))
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["mic-check", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["microphone", "*", "Stick:", "Audio", "(hw:1,0)", "1", "48000", "A1", "1-1.2"]
    assert lines[2].split() == ["loudspeaker", "Box:", "Audio", "(hw:2,0)", "2", "48000"]
    assert main(["mic-check", "--list", "--json"]) == 0
    assert Card.from_facts(json.loads(capsys.readouterr().out)["cards"][0]) == cards[0]
    monkeypatch.setattr(device.microphone, "list_cards", lambda: (cards[1:], default))
    assert main(["mic-check", "--list"]) == 1
