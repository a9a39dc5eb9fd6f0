"""Files of any kind become 16 kHz mono; what is no whole sound becomes one sentence."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wakeword import RATE, SoundError
from wakeword.sound import (
    Samples,
    StreamResampler,
    decode_flac,
    encode_flac,
    level_dbfs,
    read_sound,
    sound_length,
    stream_sound,
    to_int16,
)

RATES = [8000, 11025, 16000, 22050, 44100, 48000, 96000]
KINDS = [
    ("wav", "PCM_U8"),
    ("wav", "PCM_16"),
    ("wav", "PCM_24"),
    ("wav", "PCM_32"),
    ("wav", "FLOAT"),
    ("flac", "PCM_16"),
    ("flac", "PCM_24"),
    ("ogg", "VORBIS"),
    ("aiff", "PCM_16"),
    ("aiff", "PCM_32"),
]


def _tone(rate: int, seconds: float = 1.0, frequency: float = 1000.0) -> NDArray[np.float64]:
    """A tone of half of full scale."""
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def _write(path: Path, sound: NDArray[np.float64], rate: int = RATE, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, sound, rate, subtype=subtype)
    return path


def _assert_tone(samples: Samples, frequency: float = 1000.0) -> None:
    """The middle of `samples` is a tone of half of full scale, and nothing else to 1 % of its amplitude."""
    middle = samples[1600:-1600].astype(np.float64) / 32768
    phase = 2 * np.pi * frequency * np.arange(len(middle)) / RATE
    basis = np.stack([np.cos(phase), np.sin(phase)], axis=1)
    parts, *_ = np.linalg.lstsq(basis, middle, rcond=None)
    assert np.hypot(*parts) == pytest.approx(0.5, rel=0.01)
    assert np.sqrt(np.mean((middle - basis @ parts) ** 2)) < 0.01


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_any_rate_and_channel_count(rate: int, channels: int, tmp_path: Path) -> None:
    tone = _tone(rate)
    path = _write(tmp_path / "tone.wav", np.repeat(tone[:, None], channels, axis=1), rate)
    samples = read_sound(path)
    assert samples.dtype == np.int16
    assert samples.ndim == 1
    assert abs(len(samples) - RATE) <= 1
    assert abs(sound_length(path) - RATE) <= 1
    _assert_tone(samples)


@pytest.mark.parametrize(("suffix", "subtype"), KINDS)
def test_any_format(suffix: str, subtype: str, tmp_path: Path) -> None:
    samples = read_sound(_write(tmp_path / f"tone.{suffix}", _tone(44100), 44100, subtype))
    assert abs(len(samples) - RATE) <= 1
    _assert_tone(samples)


@settings(max_examples=30, deadline=None)
@given(length=st.integers(1, 30_000), rate=st.sampled_from(RATES), seed=st.integers(0, 99))
def test_length_is_that_of_the_sound(length: int, rate: int, seed: int) -> None:
    resampler, noise = StreamResampler(rate), np.random.default_rng(seed).normal(0, 0.1, length)
    assert abs(len(resampler.push(noise, last=True)) - round(length * RATE / rate)) <= 1


@settings(max_examples=30, deadline=None)
@given(
    rate=st.sampled_from(RATES), chunks=st.lists(st.integers(0, 9000), min_size=1, max_size=9), seed=st.integers(0, 99)
)
def test_the_size_of_chunks_changes_nothing(rate: int, chunks: list[int], seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 3000, sum(chunks)).astype(np.int16)
    stream, pieces = StreamResampler(rate), []
    for piece, last in zip(np.split(noise, np.cumsum(chunks)[:-1]), [False] * (len(chunks) - 1) + [True], strict=True):
        pieces.append(stream.push(piece, last=last))
    assert np.array_equal(np.concatenate(pieces), StreamResampler(rate).push(noise, last=True))


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_file_in_small_chunks_is_the_same_file(rate: int, tmp_path: Path) -> None:
    path = _write(tmp_path / "tone.flac", _tone(rate, 0.7), rate)
    chunks = list(stream_sound(path, chunk=1000))
    assert len(chunks) > 8
    assert max(map(len, chunks)) < 2500
    assert np.array_equal(np.concatenate(chunks), read_sound(path))


def test_sixteen_bits_at_16_khz_are_taken_as_they_are(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(-32768, 32768, 5000).astype(np.int16)
    soundfile.write(tmp_path / "noise.wav", noise, RATE)
    assert np.array_equal(read_sound(tmp_path / "noise.wav"), noise)
    with (tmp_path / "noise.wav").open("rb") as file:
        assert np.array_equal(read_sound(file), noise)


def test_channels_are_averaged(tmp_path: Path) -> None:
    tone = _tone(RATE)
    _assert_tone(read_sound(_write(tmp_path / "a.wav", np.stack([2 * tone, 0 * tone], axis=1))))
    opposite = read_sound(_write(tmp_path / "b.wav", np.stack([tone, -tone], axis=1)))
    assert np.abs(opposite).max() <= 1


def test_full_scale_is_clipped_and_not_wrapped() -> None:
    assert to_int16(np.array([-2.0, -1.0, 0.0, 1.0, 2.0])).tolist() == [-32768, -32768, 0, 32767, 32767]


def _sentence(path: Path | str) -> str:
    with pytest.raises(SoundError) as caught:
        read_sound(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert ";" in message, "it says what to do"
    return message


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "raw"])
@pytest.mark.parametrize("content", [b"", b"Dear diary, today nobody called my name.\n" * 40], ids=["empty", "text"])
def test_what_is_no_sound_is_one_sentence(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"note.{suffix}"
    path.write_bytes(content)
    assert "cannot be read as sound" in _sentence(path)
    assert sound_length(path) == 0


def test_what_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere.wav", Path("/dev/null")):
        assert "is not a file that is there" in _sentence(path)


def test_a_sound_of_no_length_is_one_sentence(tmp_path: Path) -> None:
    assert "holds no sound" in _sentence(_write(tmp_path / "none.wav", np.zeros(0)))


def test_values_that_are_no_numbers_are_one_sentence(tmp_path: Path) -> None:
    tone = _tone(RATE)
    tone[12_000] = np.nan
    assert "no numbers" in _sentence(_write(tmp_path / "nan.wav", tone, subtype="FLOAT"))


@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "au", "w64", "rf64"])
def test_a_cut_file_gives_what_it_has_and_then_one_sentence(suffix: str, share: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 10 * RATE)
    path = _write(tmp_path / f"cut.{suffix}", noise)
    whole, data = read_sound(path), path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "is damaged after" in _sentence(path)
    given_before: list[Samples] = []
    with pytest.raises(SoundError):
        given_before.extend(stream_sound(path, chunk=60 * RATE))
    read = np.concatenate(given_before)
    assert len(read) > (share - 0.06) * len(whole)
    assert np.array_equal(read, whole[: len(read)])


@pytest.mark.parametrize("promised", [0xFFFFFFFF, 0x80000000, 0x7FFFFFFF - 36])
def test_a_wav_of_unknown_length_is_no_damage(promised: int, tmp_path: Path) -> None:
    """Programs that write into a pipe promise all that fits."""
    form = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    sound = to_int16(_tone(RATE)).tobytes()
    header = b"RIFF" + struct.pack("<I", min(promised + 36, 0xFFFFFFFF)) + b"WAVEfmt " + struct.pack("<I", 16) + form
    (tmp_path / "piped.wav").write_bytes(header + b"data" + struct.pack("<I", promised) + sound)
    assert len(read_sound(tmp_path / "piped.wav")) == RATE


@settings(deadline=None)
@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=3000))
def test_flac_gives_back_the_very_samples(values: list[int]) -> None:
    samples = np.array(values, np.int16)
    packed = encode_flac(samples)
    assert np.array_equal(decode_flac(packed), samples)
    assert encode_flac(samples) == packed


_FLAC = encode_flac(np.random.default_rng(2).normal(0, 2000, 4000).astype(np.int16))


def _changed(place: int, value: int) -> bytes:
    return _FLAC[:place] + bytes([value]) + _FLAC[place + 1 :]


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=100).map(lambda data: b"fLaC" + data),
        st.integers(0, len(_FLAC) - 1).map(lambda end: _FLAC[:end]),
        st.builds(_changed, st.integers(0, 60), st.integers(0, 255)),
        st.builds(_changed, st.integers(0, len(_FLAC) - 1), st.integers(0, 255)),
    )
)
@example(_FLAC[:21] + bytes([_FLAC[21] | 0x0F]) + b"\xff\xff\xff\xff" + _FLAC[26:])  # promises 2**36 - 1 samples
def test_other_bytes_are_a_sound_error_and_nothing_else(data: bytes) -> None:
    try:
        told, samples = "", decode_flac(data)
    except SoundError as error:
        told, samples = str(error), np.zeros(1, np.int16)
    assert samples.dtype == np.int16
    assert len(samples) > 0
    assert "\n" not in told
    assert "object at" not in told


def test_another_kind_of_sound_is_not_decoded(tmp_path: Path) -> None:
    for name, rate, subtype in (("a.wav", RATE, "PCM_16"), ("b.flac", 48000, "PCM_16"), ("c.flac", RATE, "PCM_24")):
        data = _write(tmp_path / name, _tone(rate), rate, subtype).read_bytes()
        with pytest.raises(SoundError, match="is not 16 kHz 16-bit mono FLAC but"):
            decode_flac(data)


def test_levels_are_under_a_full_scale_square_wave() -> None:
    assert level_dbfs(np.full(100, -32768, np.int16)) == 0.0
    assert level_dbfs(np.tile(np.array([3277, -3277], np.int16), 50)) == pytest.approx(-20, abs=0.01)
    assert level_dbfs(np.zeros(100, np.int16)) == level_dbfs(np.zeros(0, np.int16)) == -90.31
