"""Sound in files and bytes: everything becomes, or comes from, 16 kHz mono int16.

The only file that knows libsndfile (soundfile) and the SoX resampler (soxr).
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from wakeword.errors import SoundError

RATE = 16_000
"""Samples a second everywhere inside the device; what the wake-word models were trained on."""

Samples = NDArray[np.int16]


def to_int16(samples: NDArray[Any]) -> Samples:
    """Round full-scale floats (-1 to 1) to int16, clipped; 1.0 becomes 32767."""
    rounded: Samples = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    return rounded


def level_dbfs(samples: Samples) -> float:
    """RMS of int16[n] in dB under a full-scale square wave, to a hundredth; -90.31 (one step) for less, or no sound."""
    power = float(np.mean(samples.astype(np.float64) ** 2)) if len(samples) else 0.0
    return round(10.0 * math.log10(max(power, 1.0)) - 20.0 * math.log10(32768.0), 2)


class StreamResampler:
    """Mono sound of any rate to 16 kHz, chunk by chunk; the chunks' sizes do not change the result."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._stream = None if rate == RATE else soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")

    def push(self, samples: NDArray[Any], last: bool = False) -> Samples:
        """Take mono samples (int16, or floats of full scale 1) and give what is ready as int16[m].

        The filter holds back a few milliseconds until ``last``; in all, round(n * 16000 / rate) samples come out.
        """
        if self._stream is None:
            return samples.astype(np.int16, copy=False) if samples.dtype == np.int16 else to_int16(samples)
        floats = samples.astype(np.float32) / 32768.0 if samples.dtype == np.int16 else samples.astype(np.float32)
        return to_int16(self._stream.resample_chunk(floats, last=last))


def resample(samples: Samples, rate: int) -> Samples:
    """Bring int16[n] at 16 kHz to another rate, at once."""
    if rate == RATE or not len(samples):
        return samples
    return to_int16(soxr.resample(samples.astype(np.float32) / 32768.0, RATE, rate, quality="HQ"))


def stream_sound(source: Path | str | BinaryIO, chunk: int = RATE) -> Iterator[Samples]:
    """Read a sound file of any rate, channel count and format as 16 kHz mono int16, about `chunk` samples at a time.

    Channels are averaged. Raises SoundError for a file that is missing, empty, damaged or no sound; what could be
    read of a damaged file has been given by then.
    """
    name = str(source) if isinstance(source, Path | str) else "the input"
    if isinstance(source, Path | str) and not Path(source).is_file():
        raise SoundError(f"{name} is not a file that is there; check the path")
    try:
        with soundfile.SoundFile(source) as sound:
            yield from _chunks(sound, name, chunk)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: its name ends in .raw
        why = _why(error) if isinstance(error, soundfile.LibsndfileError) else "it has no header"
        raise SoundError(f"{name} cannot be read as sound ({why}); give a WAV, FLAC, Ogg or MP3 file") from None


def _chunks(sound: soundfile.SoundFile, name: str, chunk: int) -> Iterator[Samples]:
    resampler = StreamResampler(sound.samplerate)
    exact = sound.subtype == "PCM_16" and sound.channels == 1
    wanted = max(1, chunk * sound.samplerate // RATE)
    done = given = 0
    last = False
    while not last:
        frames, why = np.empty((wanted, sound.channels), np.int16 if exact else np.float32), ""
        try:
            frames = sound.read(out=frames)
        except soundfile.LibsndfileError as error:
            frames, why = frames[: sound.tell() - done], _why(error)
        if not exact and not np.isfinite(frames).all():
            raise _damaged(name, done, sound, "it holds values that are no numbers")
        done += len(frames)
        last = len(frames) < wanted
        mono = frames[:, 0] if exact or sound.channels == 1 else frames.mean(axis=1)
        out = resampler.push(mono, last=last)
        given += len(out)
        if len(out):
            yield out
        if why:
            raise _damaged(name, done, sound, why)
    if not given:
        raise SoundError(f"{name} holds no sound; record it again or leave it out")
    if done < sound.frames or _is_cut(sound.extra_info):
        raise _damaged(name, done, sound, "it ends early")


_SIZE = re.compile(r"^\s*(data|SSND|Data Size|riff|Riff size)\s*: (\w+) \(should be", re.MULTILINE)
_ENDLESS = 2**31 - 2**16
"""Programs that write a WAV into a pipe promise at least so many bytes, as they cannot know how many will come."""


def _is_cut(log: str) -> bool:
    """Whether the file ends before its header says; libsndfile shortens such a file and tells only its log."""
    return any(name != "data" or int(size, 0) < _ENDLESS for name, size in _SIZE.findall(log))


def _damaged(name: str, done: int, sound: soundfile.SoundFile, why: str) -> SoundError:
    return SoundError(f"{name} is damaged after {done / sound.samplerate:.2f} s ({why}); copy or record it again")


def _why(error: soundfile.LibsndfileError) -> str:
    return str(error.error_string).strip().rstrip(".").lower()


def read_sound(source: Path | str | BinaryIO) -> Samples:
    """Read a whole sound as int16[n] at 16 kHz, mono; raises SoundError as `stream_sound` does."""
    return np.concatenate(list(stream_sound(source, chunk=60 * RATE)))


def sound_length(path: Path | str) -> int:
    """Samples at 16 kHz that a file's header promises; 0 where it cannot be opened, of which reading it says why."""
    try:
        info = soundfile.info(str(path))
        return int(info.frames * RATE // info.samplerate)
    except (soundfile.LibsndfileError, TypeError):
        return 0


def encode_flac(samples: Samples) -> bytes:
    """Pack int16[n], n >= 1, at 16 kHz into a FLAC that decodes alone; the same samples give the same bytes."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def decode_flac(data: bytes) -> Samples:
    """Unpack what `encode_flac` packed into int16[n]; raises SoundError for anything else."""
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as sound:
            if (sound.format, sound.samplerate, sound.channels, sound.subtype) != ("FLAC", RATE, 1, "PCM_16"):
                found = f"{sound.format} {sound.subtype} of {sound.channels} channels at {sound.samplerate} Hz"
                raise SoundError(f"the sound is not 16 kHz 16-bit mono FLAC but {found}")
            pieces = [np.empty(0, np.int16)]
            while len(piece := sound.read(RATE, dtype="int16")):  # not at once: a header may promise any length
                pieces.append(piece)
            samples = np.concatenate(pieces)
            if len(samples) != sound.frames or not len(samples):
                raise SoundError(f"the FLAC promises {sound.frames} samples and holds {len(samples)}")
            return samples
    except soundfile.LibsndfileError as error:
        raise SoundError(f"the bytes are no FLAC ({_why(error)})") from None


class SoundWriter:
    """A FLAC of 16 kHz mono that grows with what is appended; a stop in the middle leaves what was written so far."""

    def __init__(self, path: Path) -> None:
        """Make the file; raises SoundError where that cannot be."""
        try:
            self._file = soundfile.SoundFile(path, "w", RATE, 1, "PCM_16", format="FLAC")
        except (soundfile.LibsndfileError, OSError) as error:
            raise SoundError(f"{path} cannot be written ({error}); check the folder and the disk") from None

    def append(self, samples: Samples) -> None:
        """Add int16[n]; raises SoundError where the disk does not take it."""
        try:
            self._file.write(samples)
        except soundfile.LibsndfileError as error:
            raise SoundError(f"the disk does not take it: {_why(error)}") from None

    def close(self) -> None:
        """Complete the file."""
        self._file.close()
