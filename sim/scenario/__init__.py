"""Scenarios: rooms, people, media, devices, contacts and a script, checked as they are read."""

from sim.scenario.contacts import Contact
from sim.scenario.devices import Mute, PlacedDevice
from sim.scenario.loading import device_settings, load_scenario, scenario_error, shipped_scenarios
from sim.scenario.media import Medium, MediumLine
from sim.scenario.people import Person
from sim.scenario.rooms import Background, Room, Wall
from sim.scenario.scenario import Scenario
from sim.scenario.script import Line, Means

__all__ = [
    "Background",
    "Contact",
    "Line",
    "Means",
    "Medium",
    "MediumLine",
    "Mute",
    "Person",
    "PlacedDevice",
    "Room",
    "Scenario",
    "Wall",
    "device_settings",
    "load_scenario",
    "scenario_error",
    "shipped_scenarios",
]
