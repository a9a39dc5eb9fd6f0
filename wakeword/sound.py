"""Sound in files and bytes: everything becomes, or comes from, 16 kHz mono int16.

The only file that knows libsndfile (soundfile) and the SoX resampler (soxr).
"""

from __future__ import annotations

import io
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
    except soundfile.LibsndfileError as error:
        raise SoundError(f"{name} cannot be read as sound ({_why(error)}); give a WAV, FLAC, Ogg or MP3 file") from None


def _chunks(sound: soundfile.SoundFile, name: str, chunk: int) -> Iterator[Samples]:
    resampler = StreamResampler(sound.samplerate)
    exact = sound.subtype == "PCM_16" and sound.channels == 1
    done = 0
    while True:
        wanted = max(1, chunk * sound.samplerate // RATE)
        try:
            frames = sound.read(wanted, dtype="int16" if exact else "float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise _damaged(name, done, sound, _why(error)) from None
        done += len(frames)
        last = len(frames) < wanted
        mono = frames[:, 0] if exact or sound.channels == 1 else frames.mean(axis=1)
        out = resampler.push(mono, last=last)
        if len(out):
            yield out
        if last:
            break
    if done == 0:
        raise SoundError(f"{name} holds no sound; record it again or leave it out")
    # libsndfile shortens a WAV whose data chunk is cut off and says so only in its log.
    cut = done < sound.frames or any("data" in line and "should be" in line for line in sound.extra_info.splitlines())
    if cut:
        raise _damaged(name, done, sound, "it ends early")


def _damaged(name: str, done: int, sound: soundfile.SoundFile, why: str) -> SoundError:
    return SoundError(f"{name} is damaged after {done / sound.samplerate:.2f} s ({why}); copy or record it again")


def _why(error: soundfile.LibsndfileError) -> str:
    return str(error.error_string).strip().rstrip(".").lower()


def read_sound(source: Path | str | BinaryIO) -> Samples:
    """Read a whole sound as int16[n] at 16 kHz, mono; raises SoundError as `stream_sound` does."""
    return np.concatenate(list(stream_sound(source, chunk=60 * RATE)))


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
                raise SoundError(f"the sound is not 16 kHz 16-bit mono FLAC but {sound.format} {sound.subtype}")
            samples: Samples = sound.read(dtype="int16")
            if len(samples) != sound.frames or not len(samples):
                raise SoundError(f"the FLAC promises {sound.frames} samples and holds {len(samples)}")
            return samples
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise SoundError(f"the bytes are no FLAC ({error})") from None


class SoundWriter:
    """A FLAC of 16 kHz mono that grows with what is appended; a stop in the middle leaves what was written so far."""

    def __init__(self, path: Path) -> None:
        """Make the file; raises SoundError where that cannot be."""
        try:
            self._file = soundfile.SoundFile(path, "w", RATE, 1, "PCM_16", format="FLAC")
        except (soundfile.LibsndfileError, OSError) as error:
            raise SoundError(f"{path} cannot be written ({error}); check the folder and the disk") from None

    def append(self, samples: Samples) -> None:
        """Add int16[n]."""
        self._file.write(samples)

    def close(self) -> None:
        """Complete the file."""
        self._file.close()
