"""The device's own prompts taken out of its microphone: what is changed, and what stays."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio import ArraySource, Block
from device.echo import FRAME, LEAD, TAIL, Played, WithoutEcho
from device.errors import DeviceError
from wakeword.sound import RATE, Samples, level_dbfs


class Minus:
    """Takes away what was played, and remembers the pieces that it was given."""

    def __init__(self) -> None:
        self.given: list[int] = []

    def process(self, near: Samples, far: Samples) -> Samples:
        assert len(near) == len(far)
        self.given.append(len(near))
        return near - far


class Blocks:
    """A source of these blocks."""

    name = "blocks"

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks

    def blocks(self) -> Iterator[Block]:
        yield from self._blocks

    def close(self) -> None:
        """Nothing to do."""


def noise(count: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).integers(-3000, 3000, count).astype(np.int16)


def test_what_is_played_is_shown_early_and_only_as_long_as_it_sounds() -> None:
    played, sound = Played(), noise(1000)
    played.begin(10_000, sound)
    assert played.read(0, 10_000 - LEAD) is None
    found = played.read(10_000 - LEAD - 200, 10_000 - LEAD + 1200)
    assert found is not None
    np.testing.assert_array_equal(found, np.concatenate([np.zeros(200), sound, np.zeros(200)]))
    later = played.read(11_000 + TAIL - 1, 11_000 + TAIL)
    assert later is not None
    assert not later.any()
    assert played.read(11_000 + TAIL, 11_001 + TAIL) is None


def test_a_prompt_that_is_stopped_or_replaced_is_not_played_on() -> None:
    played = Played()
    played.begin(LEAD, np.full(1000, 1, np.int16))
    played.begin(LEAD + 400, np.full(100, 2, np.int16))
    played.begin(LEAD + 600, np.full(300, 3, np.int16))
    played.stop(LEAD + 700)
    found = played.read(0, 1000)
    assert found is not None
    np.testing.assert_array_equal(found, [1] * 400 + [2] * 100 + [0] * 100 + [3] * 100 + [0] * 300)


def test_without_a_prompt_every_block_passes_as_it_is() -> None:
    sound = noise(5 * RATE)
    cancelled = list(WithoutEcho(ArraySource(sound), Played(), Minus()).blocks())
    for block, plain in zip(cancelled, ArraySource(sound).blocks(), strict=True):
        assert block.begin == plain.begin
        np.testing.assert_array_equal(block.samples, plain.samples)


@given(sizes=st.lists(st.integers(0, 700), min_size=1, max_size=60), gap=st.integers(0, 60), at=st.integers(0, 9000))
def test_blocks_of_any_size_keep_their_samples_at_their_places(sizes: list[int], gap: int, at: int) -> None:
    played, canceller = Played(), Minus()
    played.begin(at + LEAD, np.full(2000, 5, np.int16))
    blocks, end = [], 0
    for number, size in enumerate(sizes):
        lost = 900 if number == gap else 0
        blocks.append(Block(end + lost, noise(size, number), lost, "late" if lost else None))
        end = blocks[-1].end
    heard = np.zeros(end + 1, np.int64)
    out = 0
    for block in WithoutEcho(Blocks(blocks), played, canceller).blocks():
        assert block.begin == out + block.lost
        heard[block.begin : block.end] = block.samples
        out = block.end
    assert out == end
    for block in blocks:
        difference = block.samples - heard[block.begin : block.end]
        index = np.arange(block.begin, block.end)
        echo = (index >= at) & (index < at + 2000)
        assert set(np.unique(difference[~echo])) <= {0}
        assert set(np.unique(difference[echo])) <= {0, 5}
    assert all(count % FRAME == 0 for count in canceller.given)


def test_the_real_canceller_takes_an_echo_out_and_leaves_a_voice() -> None:
    rng = np.random.default_rng(0)
    envelope = np.repeat(np.abs(rng.normal(0, 1, 8 * 10)), RATE // 10)  # as uneven as speech
    prompt = (3000 * envelope * rng.normal(0, 1, 8 * RATE)).clip(-32768, 32767).astype(np.int16)
    echo = np.zeros(10 * RATE)
    delay = RATE + 400  # what is said of the begin is wrong by 25 ms
    echo[delay : delay + len(prompt)] = 0.3 * prompt
    voice = np.zeros(10 * RATE)
    voice[9 * RATE + 8000 :] = 3000 * np.sin(np.arange(RATE // 2) / 5)
    sound = (echo + voice + rng.normal(0, 5, len(echo))).astype(np.int16)
    played = Played()
    played.begin(RATE, prompt)
    heard = np.concatenate([block.samples for block in WithoutEcho(ArraySource(sound, block=320), played).blocks()])
    assert len(heard) == len(sound)
    spoken, silent = slice(5 * RATE, 9 * RATE), slice(9 * RATE + 9000, None)
    assert level_dbfs(heard[spoken]) < level_dbfs(sound[spoken]) - 15
    assert abs(level_dbfs(heard[silent]) - level_dbfs(sound[silent])) < 3


def test_without_the_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == "pywebrtc_audio":
            raise ImportError(name)
        return really(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DeviceError, match=r"^echo cancellation needs .* pip install 'misheard\[echo\]', or set"):
        WithoutEcho(ArraySource(noise(10)), Played())
