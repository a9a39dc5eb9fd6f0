"""Files scored piece by piece, and the lines that tell of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from wakeword import HOP, RATE, ScorerGroup, SoundError
from wakeword.listing import Csv, JsonLines, Table
from wakeword.scored_file import ScoredFile, ScoredWord, score_file
from wakeword.sound import Samples, encode_flac, read_sound
from wakeword.trigger import Detection, TriggerSettings

SpeechLike = Callable[[int, int], Samples]


@pytest.fixture
def settings(group: ScorerGroup) -> list[TriggerSettings]:
    return [TriggerSettings(threshold) for threshold in group.thresholds]


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_file_is_scored_as_its_samples_are(
    rate: int, group: ScorerGroup, settings: list[TriggerSettings], speech_like: SpeechLike, tmp_path: Path
) -> None:
    path = tmp_path / "sound.flac"
    soundfile.write(path, speech_like(41, 15 * rate + 77), rate)
    heard: list[int] = []
    result = score_file(str(path), group, settings, heard.append)
    expected = group.score(read_sound(path))
    assert result.samples == sum(heard) == len(read_sound(path))
    assert len(heard) > 2, "it came in pieces"
    assert result.damage is None
    assert [word.name for word in result.words] == list(group.names)
    np.testing.assert_allclose(np.stack([word.scores for word in result.words], axis=1), expected, atol=1e-5)


def test_wakes_and_near_misses_are_the_triggers(group: ScorerGroup, recordings: list[Samples], tmp_path: Path) -> None:
    quiet = np.zeros(3 * RATE, np.int16)
    (tmp_path / "calls.flac").write_bytes(encode_flac(np.concatenate([quiet, recordings[0], quiet, recordings[1]])))
    settings = [TriggerSettings(each) for each in (0.5, 0.5, 0.5)]
    word = score_file(str(tmp_path / "calls.flac"), group, settings).words[0]
    assert len(word.wakes) == 2
    first, second = (each.sample / RATE for each in word.wakes)
    assert 3 < first < 3 + len(recordings[0]) / RATE < 6 + len(recordings[0]) / RATE < second
    assert word.highest is not None
    assert word.highest[0] == word.scores.max() == word.scores[word.highest[1] // HOP - 1]


def test_a_near_miss_at_the_very_end_counts(group: ScorerGroup, speech_like: SpeechLike, tmp_path: Path) -> None:
    samples = speech_like(43, 60 * HOP)
    scores = group.score(samples)[:, 0]
    peak = int(scores.argmax())
    (tmp_path / "end.flac").write_bytes(encode_flac(samples[: (peak + 1) * HOP]))
    just_above = TriggerSettings(float(scores[peak]) * 1.01)
    word = score_file(str(tmp_path / "end.flac"), group, [just_above] * 3).words[0]
    assert word.wakes == ()
    assert word.near_misses[-1].peak_sample == word.near_misses[-1].sample == (peak + 1) * HOP


def test_a_damaged_file_is_scored_as_far_as_it_goes(
    group: ScorerGroup, settings: list[TriggerSettings], speech_like: SpeechLike, tmp_path: Path
) -> None:
    path, samples = tmp_path / "cut.flac", speech_like(42, 20 * RATE)
    data = encode_flac(samples)
    path.write_bytes(data[: len(data) // 2])
    result = score_file(str(path), group, settings)
    assert result.damage is not None
    assert "cut.flac is damaged after" in result.damage
    assert 8 * RATE < result.samples < 12 * RATE
    expected = group.score(samples)[: result.samples // HOP, 0]
    np.testing.assert_allclose(result.words[0].scores, expected, atol=1e-5)


def test_what_cannot_be_read_at_all_is_an_error(group: ScorerGroup, settings: list[TriggerSettings]) -> None:
    with pytest.raises(SoundError, match=r"nowhere\.wav is not a file"):
        score_file("nowhere.wav", group, settings)


def test_a_file_shorter_than_a_hop_has_no_score(
    group: ScorerGroup, settings: list[TriggerSettings], tmp_path: Path
) -> None:
    (tmp_path / "short.flac").write_bytes(encode_flac(np.ones(HOP - 1, np.int16)))
    result = score_file(str(tmp_path / "short.flac"), group, settings)
    assert result.samples == HOP - 1
    assert all(word.highest is None and not word.wakes and not word.near_misses for word in result.words)


WAKE, MISS = Detection(True, 20 * HOP, 0.75, 20 * HOP), Detection(False, 30 * HOP, 0.375, 28 * HOP)
SCORES = np.linspace(0, 0.875, 50, dtype=np.float32)
FULL = ScoredFile("a, b.wav", 64_640, 32_000, (ScoredWord("alexa", TriggerSettings(), SCORES, (WAKE,), (MISS,) * 7),))
SHORT = ScoredFile("s.wav", 160, 32_000, (ScoredWord("alexa", TriggerSettings(), SCORES[:0], (), ()),), "s.wav is bad")
EARLY = ScoredFile("e.wav", 32_000, 32_000, (ScoredWord("alexa", TriggerSettings(), SCORES[:25], (), ()),))


def test_the_table_reads_well() -> None:
    table = Table(["a, b.wav", "s.wav", "e.wav"], ["alexa"], ["Models: free"])
    lines = [*table.head()]
    for result in (FULL, SHORT, EARLY):
        lines += table.lines(result)
    lines += table.foot()
    assert lines == [
        "file          length  word   highest          at   heard",
        "a, b.wav      4.04 s  alexa   0.8750      4.00 s   "
        "1 wake at 1.60 s; 7 near misses at 2.40, 2.40, 2.40, 2.40, 2.40 s, ...",
        "s.wav         0.01 s  alexa        -           -   damaged",
        "e.wav         2.00 s  alexa   0.4286      2.00 s * nothing",
        "* within the first 2.00 s, where scores still rest partly on the silence assumed before the file",
        "Models: free",
    ]


def test_json_lines_hold_all() -> None:
    (line,) = JsonLines("openwakeword", scores=False).lines(FULL)
    miss = {"at_s": 2.4, "score": 0.375, "peak_s": 2.24}
    assert json.loads(line) == {
        "file": "a, b.wav",
        "seconds": 4.04,
        "engine": "openwakeword",
        "warm_up_s": 2.0,
        "damage": None,
        "words": [
            {
                "model": "alexa",
                "threshold": 0.5,
                "highest": 0.875,
                "at_s": 4.0,
                "wakes": [{"at_s": 1.6, "score": 0.75, "peak_s": 1.6}],
                "near_misses": [miss] * 7,
            }
        ],
    }
    (line,) = JsonLines("openwakeword", scores=True).lines(FULL)
    np.testing.assert_allclose(json.loads(line)["words"][0]["scores"], SCORES, atol=1e-6)
    (line,) = JsonLines("micro", scores=False).lines(SHORT)
    assert json.loads(line)["damage"] == "s.wav is bad"
    assert json.loads(line)["words"][0]["highest"] is None


def test_csv_has_one_row_for_each_word() -> None:
    rows = list(csv.DictReader([*Csv().head(), *Csv().lines(FULL), *Csv().lines(SHORT)]))
    assert rows[0] == {
        "file": "a, b.wav",
        "seconds": "4.04",
        "model": "alexa",
        "threshold": "0.5",
        "highest": "0.875000",
        "at_s": "4.0",
        "warm_up_s": "2.0",
        "wakes_s": "1.6",
        "near_misses_s": " ".join(["2.4"] * 7),
        "damage": "",
    }
    assert (rows[1]["highest"], rows[1]["wakes_s"], rows[1]["damage"]) == ("", "", "s.wav is bad")
