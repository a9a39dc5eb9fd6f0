"""What the parts of a scenario must have to do with each other, and with what is on this machine.

Everything raises SettingFault, which leads to the line of the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from device.config import load_device
from device.errors import ConfigError
from device.yaml_model import Loc, SettingFault
from sim.cloud.settings import load_cloud
from sim.errors import SimError
from sim.scenario.base import Place, must_be_known
from sim.scenario.contacts import refuse_twins
from sim.speech.manifest import read_manifest, shipped_folder
from sim.speech.voices import Voice, must_speak

if TYPE_CHECKING:
    from sim.scenario.scenario import Scenario


def check_references(scenario: Scenario) -> None:
    """Whoever and whatever is named is there, and stands in its room."""
    _walls(scenario)
    for kind, things in (("people", scenario.people), ("media", scenario.media), ("devices", scenario.devices)):
        for name, thing in things.items():
            _in_its_room(scenario, (kind, name), thing.room, thing.at_m)
    for name, medium in scenario.media.items():
        if name in scenario.people:
            raise SettingFault(("media", name), medium.room, "a person is called that already; choose another name")
    refuse_twins(scenario.contacts)
    for number, press in enumerate(scenario.mute):
        _device(scenario, press.device, ("mute", number, "device"))
    if not scenario.script and not scenario.media:
        raise SettingFault(
            ("script",), [], "nobody says anything and nothing plays; write a line, such as {who: ann, say: Hello.}"
        )
    _script(scenario)


def _walls(scenario: Scenario) -> None:
    seen: set[frozenset[str]] = set()
    for number, wall in enumerate(scenario.walls):
        for room in wall.between:
            _room(scenario, room, ("walls", number, "between"))
        pair = frozenset(wall.between)
        if len(pair) < 2 or pair in seen:
            why = "this wall is there already" if pair in seen else "a wall is between two rooms"
            raise SettingFault(("walls", number, "between"), list(wall.between), why)
        seen.add(pair)


def _in_its_room(scenario: Scenario, at: Loc, room: str, place: Place) -> None:
    _room(scenario, room, (*at, "room"))
    if not scenario.rooms[room].holds(place):
        size = " x ".join(f"{side:g}" for side in scenario.rooms[room].size_m)
        raise SettingFault((*at, "at_m"), list(place), f"that is outside {room}, which is {size} m")


def _room(scenario: Scenario, name: str, at: Loc) -> None:
    must_be_known(name, scenario.rooms, at, "no room is called that", "the rooms are")


def _device(scenario: Scenario, name: str, at: Loc) -> None:
    must_be_known(name, scenario.devices, at, "no device is called that", "the devices are")


def _script(scenario: Scenario) -> None:
    latest: dict[str, int] = {}
    for number, line in enumerate(scenario.script):
        at: Loc = ("script", number)
        must_be_known(line.who, scenario.people, (*at, "who"), "nobody is called that", "the people are")
        if line.sound is None and scenario.people[line.who].voice is None:
            why = "this person has no voice; give one, such as flite:slt, or the line a sound"
            raise SettingFault((*at, "who"), line.who, why)
        if line.to is not None:
            _device(scenario, line.to, (*at, "to"))
        if line.means is not None and line.means.contact is not None:
            names = [contact.name for contact in scenario.contacts]
            must_be_known(line.means.contact, names, (*at, "means", "contact"), "no contact is called that", "they are")
        if line.when_heard is not None and scenario.people[line.who].on_prompt != "react":
            why = f"{line.who} does not react to prompts; set people.{line.who}.on_prompt: react"
            raise SettingFault((*at, "when_heard"), line.when_heard, why)
        if number == 0 and line.gap < 0:
            raise SettingFault((*at, "gap_ms"), line.gap, "the first line would begin before the beginning; 0 at least")
        if line.at_ms is not None:
            if line.at_ms < latest.get(line.who, 0):
                why = f"{line.who} speaks at {latest[line.who]} ms already; the script is in order of time"
                raise SettingFault((*at, "at_ms"), line.at_ms, why)
            latest[line.who] = line.at_ms


def check_parts(scenario: Scenario, folder: Path) -> None:
    """Profiles, sound files and voices are there."""
    for name, placed in scenario.devices.items():
        try:
            load_device(profile_path(placed.profile, folder))
        except ConfigError as error:
            raise SettingFault(("devices", name, "profile"), placed.profile, str(error)) from None
    for number, line in enumerate(scenario.script):
        if line.sound is not None:
            _is_file(folder / line.sound, line.sound, ("script", number, "sound"))
    for name, medium in scenario.media.items():
        if medium.file is not None:
            _is_file(folder / medium.file, medium.file, ("media", name, "file"))
    try:
        load_cloud(profile_path(scenario.cloud, folder))
    except SimError as error:
        raise SettingFault(("cloud",), scenario.cloud, str(error)) from None
    _voices(scenario)


def profile_path(profile: str, folder: Path) -> str | Path:
    """What `load_device` and `load_cloud` take: a name as it is, a file found from ``folder``."""
    return folder / profile if profile.endswith((".yaml", ".yml")) else profile


def _is_file(path: Path, written: str, at: Loc) -> None:
    if not path.is_file():
        raise SettingFault(at, written, f"there is no sound file {path}; put it there, or mend the name")


def _voices(scenario: Scenario) -> None:
    """A voice must be able to speak here, unless all that it says is shipped."""
    shipped = read_manifest(shipped_folder())
    wanted = {
        voice for voice, text in scenario.utterances if not voice.startswith("file:") and (voice, text) not in shipped
    }
    for kind, things in (("people", scenario.people), ("media", scenario.media)):
        for name, thing in things.items():
            if thing.voice in wanted:
                try:
                    must_speak(Voice.parse(thing.voice).found_from(scenario.folder))
                except SimError as error:
                    raise SettingFault((kind, name, "voice"), thing.voice, str(error)) from None
