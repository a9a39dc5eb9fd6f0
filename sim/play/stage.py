"""A play put together: home, devices, wire and far end, and whoever watches; played once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from device.config import samples
from device.events import Stream
from device.firmware import Firmware
from device.runtime import Observer
from device.second_looks import load_second_looks
from sim.cloud.assistant import Assistant, Household
from sim.cloud.contacts import Contact
from sim.cloud.memory import Remembering
from sim.cloud.recognizer import Recognizer
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from sim.home.home import Home
from sim.play.account import account_of
from sim.play.evening import Evening, Heard
from sim.play.narrator import Narrator
from sim.play.setup import Setup
from sim.play.speaker import Speaker
from sim.play.truth import Truth
from sim.play.wire import Direct, Wire
from sim.scenario import Scenario
from uplink.keyring import Keyring
from wakeword.scorer import ScorerGroup, load_scorers
from wakeword.sound import Samples
from wakeword.vad import VoiceActivity

WireName = Literal["inprocess", "mqtt"]


class Stage:
    """The home of a setup with its devices in it. `speech` has the sound of every line."""

    def __init__(self, setup: Setup, speech: Mapping[tuple[str, str], Samples]) -> None:
        self.setup = setup
        acoustics = {name: each.acoustics for name, each in setup.devices.items()}
        self.home = Home(setup.scenario, speech, acoustics)
        self.truth = Truth(lambda: self.home.truth)
        self.streams = {name: Stream(name, setup.scenario.utc) for name in setup.devices}
        self.scorers: Mapping[str, ScorerGroup] = {
            name: load_scorers(each.wake.words, each.wake.engine) for name, each in setup.devices.items()
        }

        self._looks = {name: load_second_looks(each.wake, self.scorers[name]) for name, each in setup.devices.items()}

    def play(
        self,
        recognizer: Recognizer,
        wire_name: WireName,
        state: Path,
        watch: Mapping[str, Sequence[Observer]],
        on_heard: Heard = lambda _device, _block: None,
        wait: Callable[[int], None] = lambda _clock: None,
        store: Path | None = None,
    ) -> None:
        """Play it; `watch` has the observers of each device. What is open is closed also where Ctrl-C breaks it off.

        store: the folder of the far end's store, which is under `state` where none is named.
        """
        with self._far_end(recognizer, wire_name, state, store or state / "cloud") as wire:
            speakers = {
                name: Speaker(
                    Firmware(settings, self.streams[name], self.scorers[name], VoiceActivity(), self._looks[name]),
                    [Narrator(self.truth, watch[name]).note],
                )
                for name, settings in self.setup.devices.items()
            }
            switches = [(device, samples(ms), muted) for ms, device, muted in self.setup.scenario.muted()]
            evening = Evening(self.home, speakers, wire, switches, on_heard)
            try:
                evening.play(wait)
            except KeyboardInterrupt:
                evening.finish()
                raise
            evening.finish()

    @contextmanager
    def _far_end(self, recognizer: Recognizer, wire_name: WireName, state: Path, folder: Path) -> Iterator[Wire]:
        store = ClipStore(folder)
        try:
            store.customers.register(account_of(self.setup.scenario))
            if isinstance(recognizer, Remembering):
                store.deletions.on_gone.append(recognizer.forget)
            assistant = Assistant(store, self.setup.cloud, _household(self.setup.scenario))
            cloud = Cloud(store, recognizer, assistant)
            wire = Direct(cloud) if wire_name == "inprocess" else self._brokered(cloud, state, folder)
            try:
                yield wire
            finally:
                wire.close()
        finally:
            store.close()

    def _brokered(self, cloud: Cloud, state: Path, folder: Path) -> Wire:
        from sim.play.brokered import Brokered

        first = next(iter(self.streams.values()))
        return Brokered(cloud, list(self.setup.devices.values()), state, first.utc_at, Keyring.of_far_end(folder))


def _household(scenario: Scenario) -> Household:
    contacts = tuple(Contact(each.name, each.id, each.say_as) for each in scenario.contacts)
    zone = scenario.utc.tzinfo
    assert zone is not None  # it is aware
    return Household(contacts, zone, tuple(scenario.devices))
