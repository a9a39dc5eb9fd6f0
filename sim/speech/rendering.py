"""Renders what ships: the lines of scenarios, and what their devices may have to say, into FLAC and a manifest."""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Collection, Iterable
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

from sim.cloud.contacts import Contact, ContactBook
from sim.cloud.interaction import load_interaction
from sim.cloud.prompts import possible_prompts
from sim.cloud.settings import load_cloud
from sim.errors import SimError
from sim.scenario import Scenario, load_scenario, shipped_scenarios
from sim.scenario.checks import profile_path
from sim.scenario.timing import lay_out
from sim.speech.alignment import aligned_words
from sim.speech.library import RECORDED, load_speech, write_whole
from sim.speech.manifest import MANIFEST, Key, Manifest, Recording, read_manifest, sha256_samples, shipped_folder
from sim.speech.voices import Voice, renderer, speak
from wakeword.pronunciation import Pronouncer
from wakeword.sound import RATE, encode_flac


def lines_of(scenario: Scenario) -> list[Key]:
    """Each (voice, text) that people and media say and that can be rendered."""
    return [key for key in scenario.utterances if not key[0].startswith(RECORDED)]


def prompts_of(scenario: Scenario) -> list[Key]:
    """Each (voice, text) that a device may say in a scenario, under its own profile and every shipped one."""
    speech, pronouncer = load_speech(scenario), Pronouncer()
    last = max([0, *(end for _, end in lay_out(scenario, speech.length))])
    lasting = timedelta(seconds=last / RATE, milliseconds=scenario.tail_ms)
    names = ContactBook([Contact(one.name, one.id, one.say_as) for one in scenario.contacts], pronouncer)
    shipped = sorted(path.name.removesuffix(".yaml") for path in files("configs").joinpath("cloud").iterdir())
    profiles = [
        scenario.cloud,
        *(name for name in shipped if files("configs").joinpath("cloud", f"{name}.yaml").is_file()),
    ]
    found: dict[Key, None] = {}
    for profile in dict.fromkeys(profiles):
        settings = load_cloud(profile_path(profile, scenario.folder))
        prompts = load_interaction(settings.dialog.interaction).prompts
        for text in possible_prompts(settings, prompts, names, scenario.utc, lasting):
            found[settings.voice, text] = None
    return list(found)


def render_into(folder: Path, keys: Iterable[Key], wanted: Collection[Key]) -> tuple[Recording, ...]:
    """Render ``keys`` into ``folder`` and its manifest; lines that are there and not ``wanted`` go. Raises SimError."""
    recordings = read_manifest(folder)
    for voice, text in keys:
        recordings[voice, text] = _render(folder, voice, text)
    kept = tuple(sorted((one for key, one in recordings.items() if key in set(wanted)), key=lambda one: one.file))
    manifest = Manifest(recordings=kept).model_dump_json(indent=1, ensure_ascii=False)
    # One word a line would be most of the file.
    manifest = re.sub(r"\[\s+(\"(?:[^\"\\]|\\.)*\"),\s+(\d+),\s+(\d+)\s+\]", r"[\1, \2, \3]", manifest)
    write_whole(folder / MANIFEST, f"{manifest}\n".encode())
    for stray in {path.name for path in folder.glob("*.flac")} - {one.file for one in kept}:
        (folder / stray).unlink()
    return kept


def _render(folder: Path, voice: str, text: str) -> Recording:
    spoken = speak(Voice.parse(voice), text)
    data, n = encode_flac(spoken.samples), len(spoken.samples)
    file = _file_name(voice, text)
    write_whole(folder / file, data)
    return Recording(
        voice=voice,
        text=text,
        file=file,
        renderer=renderer(Voice.parse(voice)),
        n_samples=n,
        words=aligned_words(text, spoken.samples) if spoken.words is None else spoken.words,
        sha256_samples=sha256_samples(spoken.samples),
        sha256_file=hashlib.sha256(data).hexdigest(),
    )


def _file_name(voice: str, text: str) -> str:
    """Readable, and another one for another voice or text: ``slt-unacceptable-for-that-money-1f2e3d4c.flac``."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].rstrip("-")
    digest = hashlib.sha256(f"{voice}\0{text}".encode()).hexdigest()[:8]
    return f"{re.sub(r'[^a-z0-9]+', '-', voice.lower().partition(':')[2])}-{words}-{digest}.flac".replace("--", "-")


def main() -> int:
    """Render the speech of scenarios, the device's prompts with it, and put it with the shipped speech."""
    parser = argparse.ArgumentParser(prog="python -m sim.speech.library", description=main.__doc__)
    action = parser.add_subparsers(required=True, metavar="ACTION")
    render = action.add_parser("render", help="render what is said in scenarios")
    render.add_argument("scenario", nargs="*", help="a shipped one's name or a file; none: all that are shipped")
    names = parser.parse_args().scenario
    try:
        every = [load_scenario(path) for path in shipped_scenarios().values()]
        chosen = [load_scenario(name) for name in names] or every
        wanted = {key for one in every + chosen for key in (*lines_of(one), *prompts_of(one))}
        keys = dict.fromkeys(key for one in chosen for key in (*lines_of(one), *prompts_of(one)))
        kept = render_into(shipped_folder(), keys, wanted)
    except SimError as error:
        print(f"misheard: {error}", file=sys.stderr)
        return error.exit_code
    size = sum((shipped_folder() / one.file).stat().st_size for one in kept)
    print(f"{len(kept)} lines, {size} bytes of FLAC in {shipped_folder()}")
    return 0
