"""`misheard tune` on real speech that ships, and at a microphone that a script plays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import device.command
from device.audio import ArraySource
from device.config import load_device
from sim.home.overhear import overhear
from sim.main import main
from sim.scenario import load_scenario
from wakeword.sound import RATE, Samples, encode_flac, read_sound

SILENCE = np.zeros(RATE, np.int16)


@pytest.fixture(scope="module")
def word() -> Samples:
    """The wake word three times, out of what people say to the device in a scenario that ships."""
    home = overhear(load_scenario("true-commands"))
    begins = [line.begin for line in home.truth if line.text.casefold().startswith("alexa")][:3]
    assert len(begins) == 3
    pieces = [piece for begin in begins for piece in (SILENCE, home.samples[begin : begin + RATE * 8 // 10])]
    return np.concatenate([*pieces, SILENCE, SILENCE])


@pytest.fixture(scope="module")
def talk() -> Samples:
    home = overhear(load_scenario("kitchen-unacceptable"))
    return home.samples[: 20 * RATE]


def saved(path: Path, sound: Samples) -> str:
    path.write_bytes(encode_flac(sound))
    return str(path)


def test_files_give_the_same_threshold_every_time_and_it_is_written(
    tmp_path: Path, word: Samples, talk: Samples, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.yaml"
    files = ["--positives", saved(tmp_path / "word.flac", word), "--negatives", saved(tmp_path / "talk.flac", talk)]
    told = []
    for _ in range(2):
        assert main(["tune", *files, "--json", "--write", str(mine)]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    facts = json.loads(told[0])
    assert (facts["words"], facts["misses"], facts["in_use"]) == (3, 0, 0.5)
    assert all(each["score"] > facts["threshold"] for each in facts["said"])
    assert facts["false_wakes"] == 0
    assert facts["hours"] == pytest.approx(20 / 3600, rel=0.01)
    assert facts["false_interval"][1] > 3600 * 3 / 20
    assert load_device(mine).wake.threshold == facts["threshold"]
    assert main(["tune", *files]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "“alexa” was said 3 times" in text
    assert "not shown yet; that takes 7.4 h without any" in text
    assert f"threshold: {facts['threshold']:g}" in text


def test_at_a_microphone_the_word_comes_first_and_sound_is_kept_only_where_asked(
    tmp_path: Path,
    word: Samples,
    talk: Samples,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sound = np.concatenate([word, talk, talk])
    monkeypatch.setattr(device.command, "open_source", lambda *_: (ArraySource(sound, name="stick"), "real"))
    monkeypatch.chdir(tmp_path)
    ask = ["tune", "--times", "3", "--minutes", "0.3"]
    assert main(ask) == 0
    out = capsys.readouterr().out
    assert out.index("say “alexa” 3 times") < out.index("3 of 3: highest score") < out.index("now 0.3 min without")
    assert "0.3 min without it" in out
    assert list(tmp_path.iterdir()) == []
    assert main([*ask, "--keep", "kept"]) == 0
    kept = [read_sound(tmp_path / "kept" / name) for name in ("word.flac", "rest.flac")]
    np.testing.assert_array_equal(np.concatenate(kept), sound[: sum(map(len, kept))])
    assert len(kept[1]) == pytest.approx(18 * RATE, abs=RATE // 10)
    assert main([*ask, "--keep", "kept"]) == 2
    assert "holds the sound of another session" in capsys.readouterr().err


def test_too_little_and_wrong_wishes_are_one_sentence(
    tmp_path: Path, word: Samples, talk: Samples, capsys: pytest.CaptureFixture[str]
) -> None:
    once = saved(tmp_path / "once.flac", word[: 2 * RATE])
    files = saved(tmp_path / "word.flac", word), saved(tmp_path / "talk.flac", talk)
    cases: list[tuple[list[str], int, str]] = [
        (["--positives", once, "--negatives", files[1]], 2, "only 1 of at least 3 sayings of the word were found"),
        (["--positives", str(tmp_path / "none.flac"), "--negatives", files[1]], 2, "there is no sound file"),
        (["--positives", files[0], "--negatives", saved(tmp_path / "loud.flac", word), "--per-hour", "0.01"], 1, ""),
    ]
    for more, code, sentence in cases:
        assert main(["tune", *more]) == code
        captured = capsys.readouterr()
        assert sentence in captured.err
        assert captured.err.count("\n") == bool(sentence)


@pytest.mark.parametrize("wish", [["--times", "2"], ["--times", "3.5"], ["--minutes", "no"], ["--per-hour", "0"]])
def test_wrong_numbers_are_refused(wish: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["tune", *wish])
    assert caught.value.code == 2
    assert wish[1] in capsys.readouterr().err
