"""The speech of scenarios: shipped as FLAC with a manifest, rendered where it is not, and recordings.

``python -m sim.speech.library render SCENARIO...`` renders the lines of scenarios, and what their devices may have to
say (the voices must be installed), and puts them with the shipped ones.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError

from sim.errors import SpeechError
from sim.scenario import Scenario
from sim.speech.alignment import aligned_words
from sim.speech.manifest import MANIFEST, Key, Recording, read_manifest, sha256_samples, shipped_folder
from sim.speech.voices import Voice, renderer, speak
from sim.speech.words import Word, even_words
from wakeword.errors import WakewordError
from wakeword.sound import Samples, decode_flac, encode_flac, read_sound

RECORDED = "file:"
"""In place of a voice: a sound file of the scenario."""

HELD = 30 * 60 * 16_000
"""Samples (half an hour) that are kept decoded."""


@dataclass(frozen=True)
class _Line:
    """How long a line is, where its words are, and how to have its samples."""

    n_samples: int
    words: tuple[Word, ...]
    read: Callable[[], Samples]


class Speech(Mapping[Key, Samples]):
    """int16[n] at 16 kHz for each (voice, text), decoded when it is asked for, so that a day of them fits."""

    def __init__(self, lines: Mapping[Key, _Line]) -> None:
        self._lines = dict(lines)
        self._held: OrderedDict[Key, Samples] = OrderedDict()

    def __getitem__(self, key: Key) -> Samples:
        """Raises SpeechError if the file has been changed since it was loaded."""
        if key not in self._held:
            self._held[key] = self._lines[key].read()
        self._held.move_to_end(key)
        while len(self._held) > 1 and sum(map(len, self._held.values())) > HELD:
            self._held.popitem(last=False)
        return self._held[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def length(self, key: Key) -> int:
        """Samples of a line, without decoding it."""
        return self._lines[key].n_samples

    def words(self, key: Key) -> tuple[Word, ...]:
        """Where in a line its words are."""
        return self._lines[key].words


def load_lines(
    keys: Iterable[Key], *, folder: Path | None = None, cache: Path | None = None, base: Path = Path()
) -> Speech:
    """Each (voice, text), of a voice or of a recording ``file:NAME``; files are found from ``base``.

    From ``folder`` (what is shipped) where its manifest has the line, else rendered, and kept in ``cache`` (the
    user's cache directory). Raises SpeechError if a recording is not what its manifest says, VoiceError if a line must
    be rendered and its voice is not installed, SoundError for a recording that is none.
    """
    folder = shipped_folder() if folder is None else folder
    cache = platformdirs.user_cache_path("misheard") / "speech" if cache is None else cache
    shipped = read_manifest(folder)
    lines: dict[Key, _Line] = {}
    for key in keys:
        if key[0].startswith(RECORDED):
            lines[key] = _recorded(key, base)
        elif key in shipped:
            lines[key] = _shipped(folder, shipped[key])
        else:
            lines[key] = _rendered(key, cache, base)
    return Speech(lines)


def load_speech(scenario: Scenario, *, folder: Path | None = None, cache: Path | None = None) -> Speech:
    """Every line of a scenario by its `Scenario.key`; see `load_lines`."""
    return load_lines(scenario.utterances, folder=folder, cache=cache, base=scenario.folder)


def _recorded(key: Key, base: Path) -> _Line:
    path = base / key[0].removeprefix(RECORDED)
    samples = read_sound(path)
    return _Line(len(samples), aligned_words(key[1], samples), lambda: read_sound(path))


def _shipped(folder: Path, recording: Recording) -> _Line:
    path = folder / recording.file
    wrong = SpeechError(f"{path} is not the recording that {MANIFEST} names; install misheard again")

    def data() -> bytes:
        try:
            found = path.read_bytes()
        except OSError as error:
            raise SpeechError(f"{path} cannot be read ({error.strerror}); install misheard again") from None
        if hashlib.sha256(found).hexdigest() != recording.sha256_file:
            raise wrong
        return found

    def read() -> Samples:
        try:
            samples = decode_flac(data())
        except WakewordError:
            raise wrong from None
        if (len(samples), sha256_samples(samples)) != (recording.n_samples, recording.sha256_samples):
            raise wrong
        return samples

    data()
    return _Line(recording.n_samples, recording.words or even_words(recording.text, recording.n_samples), read)


class _Notes(BaseModel):
    """What the cache knows of a rendered line beside its FLAC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_samples: int
    sha256_file: str
    words: tuple[Word, ...]


def _rendered(key: Key, cache: Path, base: Path) -> _Line:
    """``key`` from the cache, or rendered into it; the renderer's version is a part of the name there."""
    voice = Voice.parse(key[0]).found_from(base)
    name = hashlib.sha256("\0".join((*key, renderer(voice))).encode()).hexdigest()
    flac, notes = cache / f"{name}.flac", cache / f"{name}.json"
    try:
        data, known = flac.read_bytes(), _Notes.model_validate_json(notes.read_bytes())
        if hashlib.sha256(data).hexdigest() != known.sha256_file:
            raise ValueError("cut off")
    except (OSError, ValueError, ValidationError):  # not there yet, or cut off: render it
        spoken = speak(voice, key[1])
        data, n = encode_flac(spoken.samples), len(spoken.samples)
        words = aligned_words(key[1], spoken.samples) if spoken.words is None else spoken.words
        known = _Notes(n_samples=n, sha256_file=hashlib.sha256(data).hexdigest(), words=words)
        try:
            write_whole(flac, data)
            write_whole(notes, known.model_dump_json().encode())
        except OSError:  # a cache that cannot be written costs time, nothing else
            return _Line(known.n_samples, known.words, lambda: spoken.samples)
    return _Line(known.n_samples, known.words, lambda: decode_flac(flac.read_bytes()))


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = tempfile.NamedTemporaryFile(dir=path.parent, delete=False)  # noqa: SIM115 - it is entered below
    written = Path(part.name)
    try:
        with part:
            part.write(data)
        written.chmod(0o644)
        written.replace(path)
    except OSError:
        written.unlink(missing_ok=True)
        raise


def _main() -> int:
    from sim.speech.rendering import main  # it needs what is above

    return main()


if __name__ == "__main__":
    sys.exit(_main())
