"""Blocks from arrays, files and pipes, and their pace."""

from __future__ import annotations

import io
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from device.audio import ArraySource, Block, FileSource, Source
from device.errors import DeviceError
from device.pipe import StreamSource
from wakeword.frames import HOP
from wakeword.sound import RATE, Samples


def noise(count: int, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).integers(-20_000, 20_000, count).astype(np.int16)


def heard(source: Source) -> Samples:
    """All samples of a source without losses, its indices checked."""
    blocks = list(source.blocks())
    ends = [0, *(block.end for block in blocks)]
    assert [block.begin for block in blocks] == ends[:-1]
    assert all(block.lost == 0 and block.why is None for block in blocks)
    return np.concatenate([np.zeros(0, np.int16), *(block.samples for block in blocks)])


class FakeClock:
    """A clock on which time passes only while somebody waits."""

    def __init__(self) -> None:
        self.time = 100.0
        self.while_waiting: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.time

    def wait(self, closed: threading.Event, seconds: float) -> None:
        assert seconds > 0
        self.while_waiting()
        if not closed.is_set():
            self.time += seconds


@given(count=st.integers(0, 5000), block=st.integers(1, 2000))
def test_an_array_comes_in_blocks_of_one_size(count: int, block: int) -> None:
    samples = noise(count)
    sizes = [len(given.samples) for given in ArraySource(samples, block=block).blocks()]
    assert sizes == [block] * (count // block) + ([count % block] if count % block else [])
    np.testing.assert_array_equal(heard(ArraySource(samples, block=block)), samples)


def test_the_end_of_a_block_is_exclusive() -> None:
    assert Block(10, noise(5)).end == 15


def test_real_pace_gives_a_block_when_its_last_sample_has_been_heard() -> None:
    clock = FakeClock()
    times = [clock.now() for _ in ArraySource(noise(3 * HOP + 640), pace="real", clock=clock).blocks()]
    assert times == pytest.approx([100.08, 100.16, 100.24, 100.28])


def test_a_late_listener_does_not_delay_the_stream() -> None:
    clock = FakeClock()
    times = []
    for block in ArraySource(noise(5 * HOP), pace="real", clock=clock).blocks():
        times.append(clock.now())
        if block.begin == HOP:
            clock.time += 0.2
    assert times == pytest.approx([100.08, 100.16, 100.36, 100.36, 100.40])


def test_fast_pace_waits_for_nothing() -> None:
    clock = FakeClock()
    clock.while_waiting = lambda: pytest.fail("it waited")
    assert len(heard(ArraySource(noise(100_000), clock=clock))) == 100_000


@pytest.mark.parametrize("pace", ["real", "fast"])
def test_closing_ends_the_blocks(pace: str) -> None:
    source = ArraySource(noise(10 * HOP), pace="real" if pace == "real" else "fast", clock=FakeClock())
    given = []
    for block in source.blocks():
        given.append(block)
        if len(given) == 2:
            source.close()
    assert len(given) == 2


def test_closing_ends_a_wait() -> None:
    clock = FakeClock()
    source = ArraySource(noise(10 * HOP), pace="real", clock=clock)
    clock.while_waiting = source.close
    assert list(source.blocks()) == []
    assert clock.now() == 100.0


def test_closing_from_another_thread_ends_a_real_wait() -> None:
    source = ArraySource(noise(3600 * RATE), pace="real", block=3600 * RATE)
    blocks: list[Block] = []
    thread = threading.Thread(target=lambda: blocks.extend(source.blocks()))
    thread.start()
    source.close()
    thread.join(10)
    assert not thread.is_alive()
    assert blocks == []


def test_a_file_is_heard_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "sound.flac"
    soundfile.write(path, noise(40_001), RATE)
    source = FileSource(path)
    assert source.name == str(path)
    np.testing.assert_array_equal(heard(source), noise(40_001))


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (48_000, 8), (8_000, 1)])
def test_a_file_of_any_form_keeps_its_length(tmp_path: Path, rate: int, channels: int) -> None:
    path = tmp_path / "sound.wav"
    soundfile.write(path, np.tile(noise(2 * rate)[:, None], channels), rate)
    assert len(heard(FileSource(path))) == 2 * RATE


@pytest.mark.parametrize("content", [None, b"", b"not a sound at all"])
def test_a_file_that_is_no_sound_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "sound.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeviceError, match=r"sound\.wav") as caught:
        list(FileSource(path).blocks())
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_heard_up_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    soundfile.write(path, noise(50_000), RATE)
    path.write_bytes(path.read_bytes()[:-30_000])
    blocks: list[Block] = []
    with pytest.raises(DeviceError, match="damaged"):
        blocks.extend(FileSource(path).blocks())
    assert blocks[-1].end == 35_000


def wav(samples: Samples, rate: int = RATE, channels: int = 1, bits: int = 16, size: int | None = None) -> bytes:
    """A WAV as programs write it into a pipe, with a chunk of odd length before the samples."""
    data = samples.astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, bits)
    length = len(data) if size is None else size
    chunks = [(b"fmt ", 16, form), (b"LIST", 3, b"abc\0"), (b"data", length, data)]
    body = b"".join(kind + struct.pack("<I", size) + content for kind, size, content in chunks)
    return b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + body


@given(count=st.integers(0, 4000), odd=st.booleans())
def test_raw_samples_from_a_pipe(count: int, odd: bool) -> None:
    data = noise(count).astype("<i2").tobytes() + (b"\x01" if odd else b"")
    np.testing.assert_array_equal(heard(StreamSource(io.BytesIO(data))), noise(count))


@pytest.mark.parametrize("size", [None, 0, 0xFFFFFFFF, 0x7FFFF000])
def test_a_wav_from_a_pipe_whatever_length_it_tells(size: int | None) -> None:
    data = wav(noise(7001), size=size)
    np.testing.assert_array_equal(heard(StreamSource(io.BytesIO(data))), noise(7001))


def test_what_follows_the_samples_of_a_wav_is_not_sound() -> None:
    data = wav(noise(7001)) + b"\0LIST\4\0\0\0abcd"
    np.testing.assert_array_equal(heard(StreamSource(io.BytesIO(data))), noise(7001))


def test_a_wav_from_a_pipe_is_resampled_and_its_channels_averaged() -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(96_000) / 48_000)).astype(np.int16)
    stereo = np.stack((tone, -tone // 2), axis=1).reshape(-1)
    samples = heard(StreamSource(io.BytesIO(wav(stereo, rate=48_000, channels=2))))
    assert len(samples) == 32_000
    expected = 2000 * np.sin(2 * np.pi * 440 * np.arange(32_000) / RATE)
    assert np.abs(samples - expected)[200:-200].max() < 4


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"fLaC" + bytes(100), "standard input is a FLAC"),
        (b"OggS" + bytes(100), "standard input is an Ogg stream"),
        (wav(noise(10), bits=24), "WAV of 24 bits"),
        (wav(noise(10))[:40], "ends before its samples"),
    ],
)
def test_what_a_pipe_cannot_give_is_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(DeviceError, match=sentence) as caught:
        list(StreamSource(io.BytesIO(data)).blocks())
    assert "\n" not in str(caught.value)


def test_a_real_pipe_is_heard_while_it_is_written_and_closing_ends_the_wait() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as writer:
        source = StreamSource(stream)
        blocks: list[Block] = []
        first = threading.Event()

        def listen() -> None:
            for block in source.blocks():
                blocks.append(block)
                first.set()

        thread = threading.Thread(target=listen)
        thread.start()
        data = noise(HOP + 10).astype("<i2").tobytes()
        writer.write(data[:1001])
        writer.write(data[1001:])
        assert first.wait(10)
        source.close()
        source.close()
        thread.join(10)
        assert not thread.is_alive()
    assert len(blocks) == 1
    np.testing.assert_array_equal(blocks[0].samples, noise(HOP + 10)[:HOP])


def test_a_pipe_that_breaks_is_one_sentence() -> None:
    reading, writing = os.pipe()
    source = StreamSource(io.FileIO(reading, closefd=False))
    os.close(reading)
    os.close(writing)
    with pytest.raises(DeviceError, match="standard input cannot be read"):
        list(source.blocks())
