from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from sim.console.wav import sound_response, wav
from tests.uplink_kit import noise

SOUND = noise(1_000)
SIZE = 44 + 2_000


def test_another_program_reads_the_same_samples() -> None:
    samples, rate = soundfile.read(io.BytesIO(wav(SOUND)), dtype="int16")
    assert rate == 16_000
    assert np.array_equal(samples, SOUND)
    samples, _ = soundfile.read(io.BytesIO(wav(SOUND[:0])), dtype="int16")
    assert len(samples) == 0


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("bytes=0-", 0, SIZE),
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=2000-99999", 2_000, SIZE),
        ("bytes=-10", SIZE - 10, SIZE),
        ("bytes=-99999", 0, SIZE),
    ],
)
def test_a_range_gives_that_and_no_more(asked: str, begin: int, end: int) -> None:
    answer = sound_response(SOUND, asked)
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{SIZE}"
    assert bytes(answer.body) == wav(SOUND)[begin:end]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0", "bytes=" + "9" * 5_000 + "-"])
def test_a_range_beyond_the_end_is_refused(asked: str) -> None:
    answer = sound_response(SOUND, asked)
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize("asked", [None, "", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b"])
def test_what_is_no_single_range_gets_the_whole(asked: str | None) -> None:
    answer = sound_response(SOUND, asked)
    assert (answer.status_code, bytes(answer.body)) == (200, wav(SOUND))
