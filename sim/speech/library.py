"""The speech of a scenario: shipped as FLAC with a manifest, rendered where it is not.

``python -m sim.speech.library render SCENARIO`` renders the lines of a scenario (the voices must be installed) and puts
them with the shipped ones.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import platformdirs

from sim.errors import SimError, SpeechError
from sim.scenario import Scenario, load_scenario, shipped_scenarios
from sim.speech.manifest import MANIFEST, Key, Manifest, Recording, read_manifest, sha256_samples, shipped_folder
from sim.speech.voices import Voice, render, renderer
from wakeword.errors import WakewordError
from wakeword.sound import Samples, decode_flac, encode_flac, read_sound

RECORDED = "file:"
"""In place of a voice: a sound file of the scenario."""


def load_lines(keys: Iterable[Key], *, folder: Path | None = None, cache: Path | None = None) -> dict[Key, Samples]:
    """int16[n] at 16 kHz for each (voice, text).

    From ``folder`` (what is shipped) where its manifest has the line, else rendered, and kept in ``cache`` (the
    user's cache directory). Raises SpeechError if a recording is not what its manifest says, VoiceError if a line must
    be rendered and its voice is not installed.
    """
    folder = shipped_folder() if folder is None else folder
    cache = platformdirs.user_cache_path("misheard") / "speech" if cache is None else cache
    recordings = read_manifest(folder)
    return {
        key: _read(folder, recordings[key]) if key in recordings else _rendered(key, cache)
        for key in dict.fromkeys(keys)
    }


def load_speech(scenario: Scenario, *, folder: Path | None = None, cache: Path | None = None) -> dict[Key, Samples]:
    """Every line of a scenario by its `Scenario.key`; see `load_lines`."""
    speech = load_lines(_keys(scenario), folder=folder, cache=cache)
    for key in scenario.utterances:
        if key[0].startswith(RECORDED):
            speech[key] = read_sound(scenario.folder / key[0].removeprefix(RECORDED))
    return speech


def _read(folder: Path, recording: Recording) -> Samples:
    path = folder / recording.file
    try:
        data = path.read_bytes()
        samples = decode_flac(data)
    except (OSError, WakewordError) as error:
        raise SpeechError(f"{path} cannot be read ({error}); install misheard again") from None
    found = (len(samples), sha256_samples(samples), hashlib.sha256(data).hexdigest())
    if found != (recording.n_samples, recording.sha256_samples, recording.sha256_file):
        raise SpeechError(f"{path} is not the recording that {MANIFEST} names; install misheard again")
    return samples


def _rendered(key: Key, cache: Path) -> Samples:
    """``key`` from the cache, or rendered into it; the renderer's version is a part of the name there."""
    voice = Voice.parse(key[0])
    name = hashlib.sha256("\0".join((*key, renderer(voice.engine))).encode()).hexdigest()
    path = cache / f"{name}.flac"
    try:
        return decode_flac(path.read_bytes())
    except (OSError, WakewordError):  # not there yet, or cut off: render it
        samples = render(voice, key[1])
    try:
        _write(path, encode_flac(samples))
    except OSError:  # a cache that cannot be written costs time, nothing else
        return samples
    return samples


def _write(path: Path, data: bytes) -> None:
    """Write ``data`` so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        part.write(data)
    written = Path(part.name)
    written.chmod(0o644)
    written.replace(path)


def render_into(folder: Path, scenario: Scenario, spoken: Sequence[Scenario]) -> tuple[Recording, ...]:
    """Render the lines of ``scenario`` into ``folder`` and its manifest; lines none of ``spoken`` has are removed.

    Raises SimError.
    """
    recordings = read_manifest(folder)
    for voice, text in _keys(scenario):
        samples = render(Voice.parse(voice), text)
        data = encode_flac(samples)
        recordings[voice, text] = Recording(
            voice=voice,
            text=text,
            file=_file_name(voice, text),
            renderer=renderer(Voice.parse(voice).engine),
            n_samples=len(samples),
            sha256_samples=sha256_samples(samples),
            sha256_file=hashlib.sha256(data).hexdigest(),
        )
        _write(folder / recordings[voice, text].file, data)
    wanted = {key for one in (scenario, *spoken) for key in _keys(one)}
    kept = tuple(sorted((one for key, one in recordings.items() if key in wanted), key=lambda one: one.file))
    text = Manifest(recordings=kept).model_dump_json(indent=1, ensure_ascii=False)
    _write(folder / MANIFEST, f"{text}\n".encode())
    for stray in {path.name for path in folder.glob("*.flac")} - {one.file for one in kept}:
        (folder / stray).unlink()
    return kept


def _keys(scenario: Scenario) -> list[Key]:
    return [key for key in scenario.utterances if not key[0].startswith(RECORDED)]


def _file_name(voice: str, text: str) -> str:
    """Readable, and another one for another voice or text: ``slt-unacceptable-for-that-money-1f2e3d4c.flac``."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].rstrip("-")
    digest = hashlib.sha256(f"{voice}\0{text}".encode()).hexdigest()[:8]
    return f"{re.sub(r'[^a-z0-9]+', '-', voice.lower().partition(':')[2])}-{words}-{digest}.flac".replace("--", "-")


def main() -> int:
    """Render the speech of a scenario and put it with the shipped speech."""
    parser = argparse.ArgumentParser(prog="python -m sim.speech.library", description=main.__doc__)
    action = parser.add_subparsers(required=True, metavar="ACTION")
    action.add_parser("render", help="render the lines of a scenario").add_argument("scenario")
    try:
        scenario = load_scenario(parser.parse_args().scenario)
        kept = render_into(shipped_folder(), scenario, [load_scenario(path) for path in shipped_scenarios().values()])
    except SimError as error:
        print(f"misheard: {error}", file=sys.stderr)
        return error.exit_code
    size = sum((shipped_folder() / one.file).stat().st_size for one in kept)
    print(f"{len(kept)} lines, {size} bytes of FLAC in {shipped_folder()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
