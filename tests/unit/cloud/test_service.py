"""The far end as a plain object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.cloud.answer import Directed
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from sim.errors import Refused, StoreError
from tests.uplink_kit import Counter, cut, noise
from uplink.message import Directive, Receipt
from wakeword.sound import encode_flac

SAMPLES = noise(20_000)
PARTS = cut(SAMPLES, 8_000)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    store = ClipStore(tmp_path)
    yield Cloud(store, Counter())
    store.close()


def test_every_part_is_receipted_with_its_digest(cloud: Cloud) -> None:
    for part in PARTS:
        complete = part.number == 2
        assert cloud.receive(part) == [Receipt("dot", part.clip, part.number, part.digest, complete)]
    np.testing.assert_array_equal(cloud.store.audio(PARTS[0].clip), SAMPLES)


def test_the_same_part_again_is_receipted_again(cloud: Cloud) -> None:
    first = [cloud.receive(part) for part in PARTS]
    again = [cloud.receive(part) for part in PARTS]
    assert again[-1] == first[-1]
    assert [receipt.complete for (receipt,) in again if isinstance(receipt, Receipt)] == [True] * 3


def test_an_answer_is_the_transcript_of_the_whole_clip_and_the_end_of_the_turn(cloud: Cloud) -> None:
    for part in PARTS:
        cloud.receive(part)
    answer = cloud.answer(PARTS[0].clip)
    assert answer.transcript.text == "20000 samples"
    assert answer.directives == (Directed("dot", Directive("TurnEnd", PARTS[0].clip)),)
    assert [fact.kind for fact in answer.facts] == ["transcript"]
    assert answer.device == "dot"
    assert cloud.store.transcript(PARTS[0].clip) == answer.transcript


def test_an_incomplete_clip_is_not_answered(cloud: Cloud) -> None:
    cloud.receive(PARTS[0])
    with pytest.raises(StoreError, match="is not complete"):
        cloud.answer(PARTS[0].clip)


def bomb() -> bytes:
    """A small FLAC that promises 2^36 - 1 samples."""
    flac = bytearray(encode_flac(np.zeros(8_000, np.int16)))
    flac[21:26] = (int.from_bytes(flac[21:26], "big") | (2**36 - 1)).to_bytes(5, "big")
    return bytes(flac)


@pytest.mark.parametrize(
    "audio",
    [
        b"fLaC",
        b"noise that is no FLAC" * 10,
        PARTS[0].audio[:2000],
        PARTS[0].audio[:-1000],
        encode_flac(SAMPLES[:7_999]),
        bomb(),
    ],
)
def test_audio_that_is_not_what_it_should_be_is_refused_and_leaves_no_trace(cloud: Cloud, audio: bytes) -> None:
    with pytest.raises(Refused, match="part 0 of clip"):
        cloud.receive(replace(PARTS[0], audio=audio))
    assert cloud.store.clips() == []
    for part in PARTS:
        cloud.receive(part)
    np.testing.assert_array_equal(cloud.store.audio(PARTS[0].clip), SAMPLES)


def test_many_at_once_are_answered_like_one_after_the_other(cloud: Cloud, tmp_path: Path) -> None:
    other = cut(noise(9_000, seed=1), 8_000, begin=1_000_000)
    wrong = replace(PARTS[1], begin=PARTS[1].begin + 1, end=PARTS[1].end + 1)
    many = [PARTS[2], other[0], wrong, PARTS[0], replace(other[1], audio=b"fLaC"), PARTS[0], PARTS[1], other[1], wrong]
    alone = Cloud(ClipStore(tmp_path / "alone"), Counter())
    expected: list[object] = []
    for part in many:
        try:
            expected.append(alone.receive(part))
        except Refused as error:
            expected.append(str(error))
    found = [str(each) if isinstance(each, Refused) else each for each in cloud.receive_all(many)]
    assert found == expected
    assert [isinstance(each, str) for each in found] == [False, False, True, False, True, False, False, False, False]
    for parts, samples in ((PARTS, SAMPLES), (other, noise(9_000, seed=1))):
        np.testing.assert_array_equal(cloud.store.audio(parts[0].clip), samples)
    assert cloud.store.clips() == alone.store.clips()
    assert cloud.store.unanswered() == alone.store.unanswered()
    alone.store.close()


def test_a_clip_is_its_own_devices_alone(cloud: Cloud) -> None:
    mine = cut(noise(1_000), 500, device="dot-kitchen")
    cloud.receive(mine[0])
    with pytest.raises(Refused, match="is one of dot-kitchen, and not of dot"):
        cloud.receive(replace(mine[1], device="dot"))


def test_what_was_heard_lately_is_not_unpacked_again(cloud: Cloud) -> None:
    for part in PARTS:
        cloud.receive(part)
    for file in cloud_files(cloud):
        file.unlink()
    assert cloud.answer(PARTS[0].clip).transcript.text == "20000 samples"


def cloud_files(cloud: Cloud) -> list[Path]:
    return sorted(Path(cloud.store.shown).rglob("*.flac"))
