from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.errors import LabError
from sim.lab.subtitles import Cue, fit, read_subtitles, said_between
from wakeword.frames import HOP
from wakeword.sound import RATE

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>That is</i> unacceptable.

2
00:01:00,250 --> 00:01:02,000
[door creaks]
- Who is there?
"""

VTT = """WEBVTT - a film

NOTE nothing to see

1
00:01.000 --> 00:02.500 align:start
<v Ann>That is unacceptable.

00:01:00.250 --> 00:01:02.000
(laughs) Who is there?
"""


@pytest.mark.parametrize(("name", "text"), [("film.srt", SRT), ("film.vtt", VTT)])
def test_both_kinds_say_the_same(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    first, second = read_subtitles(tmp_path / name)
    assert (first.begin, first.end, first.words) == (RATE, 2.5 * RATE, ["That", "is", "unacceptable."])
    assert (second.begin, second.words) == (60.25 * RATE, ["Who", "is", "there?"])
    assert said_between([first, second], 0, 2 * RATE) == "That is unacceptable."
    assert said_between([first, second], 3 * RATE, 60 * RATE) == ""


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("film.srt", "nothing\n", "is no SRT"),
        ("film.srt", "", "holds no subtitle"),
        ("film.srt", "1\n00:00:03,000 --> 00:00:02,000\nBack.\n", "'Back.' at 3.00 s ends before it begins"),
        ("film.vtt", "1\n00:01.000 --> 00:02.500\nHello.\n", "line 1: a WebVTT file begins with WEBVTT"),
        ("film.vtt", "WEBVTT\n\n00:01 --> 00:02\nHello.\n", "line 3: '00:01 --> 00:02' are no times"),
    ],
)
def test_a_broken_file_is_named(name: str, text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(LabError, match=told):
        read_subtitles(tmp_path / name)


def film(factor: float = 1.0, late_s: float = 0.0) -> tuple[list[Cue], np.ndarray]:
    """Ten minutes of lines at odd times, and subtitles that are stretched, or late."""
    random = np.random.default_rng(4)
    begins = np.cumsum(random.uniform(3, 9, 90))
    lasting = random.uniform(1, 2.5, 90)
    speech = np.zeros(int(begins[-1] + 10) * RATE // HOP, bool)
    for begin, length in zip(begins, lasting, strict=True):
        speech[int(begin * RATE / HOP) : int((begin + length) * RATE / HOP)] = True
    cues = [
        Cue(round((begin * factor + late_s) * RATE), round(((begin + length) * factor + late_s) * RATE), "word")
        for begin, length in zip(begins, lasting, strict=True)
    ]
    return cues, speech


def test_subtitles_that_fit_are_left_alone() -> None:
    found = fit(*film(), HOP)
    assert (found.drifts, found.late) == (False, False)
    assert abs(found.first_s) <= 0.2


def test_subtitles_of_another_frame_rate_drift() -> None:
    found = fit(*film(factor=25 / 24), HOP)
    assert found.drifts
    assert found.last_s < found.first_s - 1  # they come ever later


def test_subtitles_that_are_late_throughout_do_not_drift() -> None:
    found = fit(*film(late_s=7.0), HOP)
    assert (found.drifts, found.late) == (False, True)
    assert found.first_s == pytest.approx(-7.0, abs=0.3)


def test_where_nobody_speaks_nothing_is_known() -> None:
    cues, speech = film()
    assert fit(cues, np.zeros_like(speech), HOP) == fit(cues, speech[:0], HOP)
