"""Fakes at the seams of the firmware, and sound to go with them: what the models are to make of a hop is in the hop.

The first samples of each hop carry, in thousandths, the score of each word and the probability of speech; all others
are told by their index, so that sound at a wrong place is never the right sound.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from device.audio import Block
from device.config import DeviceSettings
from device.events import Event, Stream
from device.firmware import Firmware
from device.states import State
from sim.home.overhear import Overheard, overhear
from sim.scenario import load_scenario
from uplink.message import JSON, Directive
from wakeword.frames import HOP, as_hops
from wakeword.scorer import ScorerGroup, Scores, ScoreStream, load_scorers
from wakeword.sound import encode_flac
from wakeword.vad import VoiceActivity

Sound = NDArray[np.int16]

WORDS = ("alexa", "computer")
STREAM = Stream("dot", datetime(2026, 1, 1, tzinfo=UTC))
_QUIETEST = 1001  # louder than any mark


def plain(begin: int, count: int) -> Sound:
    """Give int16[count], the sound from this index on: no wake word, no speech, and no two places alike for long."""
    sound = (_QUIETEST + np.arange(begin, begin + count) * 7919 % 30_011).astype(np.int16)
    for mark in range(len(WORDS) + 1):
        sound[(mark - begin) % HOP :: HOP] = 0
    return sound


def sound_of(begin: int, count: int, *, alexa: float = 0.0, computer: float = 0.0, speech: float = 0.0) -> Sound:
    """Give `plain` sound in which every hop that begins in it has these scores and this probability of speech."""
    sound = plain(begin, count)
    for mark, value in enumerate((alexa, computer, speech)):
        sound[(mark - begin) % HOP :: HOP] = round(1000 * value)
    return sound


class FakeScorers(ScorerGroup):
    """Two words whose scores are read off the sound; remembers what it heard since it last forgot."""

    engine = "fake"
    names = WORDS
    thresholds = (0.5, 0.5)
    hashes = ("a" * 64, "c" * 64)
    warm_up_hops = 0

    def __init__(self) -> None:
        self.memory: list[Sound] = []
        self.reset()

    def fresh(self) -> ScoreStream:
        self.memory = []
        return _FakeStream(self.memory)


class _FakeStream:
    def __init__(self, memory: list[Sound]) -> None:
        self._memory = memory

    def push(self, sound: Sound) -> Scores:
        self._memory.append(sound)
        scores: Scores = as_hops(sound)[:, : len(WORDS)].astype(np.float32) / np.float32(1000)
        return scores


class FakeVoice:
    """Reads the probability of speech off the sound; remembers what it heard since it last forgot."""

    def __init__(self) -> None:
        self.memory: list[Sound] = []

    def push(self, samples: Sound) -> NDArray[np.float32]:
        self.memory.append(samples)
        probabilities: NDArray[np.float32] = as_hops(samples)[:, len(WORDS)].astype(np.float32) / np.float32(1000)
        return probabilities

    def reset(self) -> None:
        self.memory = []


def settings_of(**sections: dict[str, object]) -> DeviceSettings:
    """Give checked settings of a device, section by section."""
    return DeviceSettings.model_validate({"name": "dot", **sections})


def fake_firmware(settings: DeviceSettings | None = None) -> Firmware:
    """A real firmware between the two fakes."""
    return Firmware(settings or settings_of(), STREAM, FakeScorers(), FakeVoice())


def hear(firmware: Firmware, sound: Sound) -> list[Event]:
    """Let it hear this sound right after what it heard before."""
    return firmware.hear(Block(firmware.clock, sound))


def hear_split(firmware: Firmware, sound: Sound, sizes: Sequence[int]) -> list[Event]:
    """Let it hear this sound in blocks of these sizes, over and over."""
    events: list[Event] = []
    taken = turn = 0
    while taken < len(sound):
        size = sizes[turn % len(sizes)]
        events += hear(firmware, sound[taken : taken + size])
        taken += size
        turn += 1
    return events


def kinds(events: Iterable[Event], *wanted: str) -> list[Event]:
    """Those events that are of one of these kinds."""
    return [event for event in events if event.kind in wanted]


def number(event: Event, name: str) -> int:
    """A fact that is a whole number."""
    value = event.facts[name]
    assert isinstance(value, int)
    return value


def told(events: Iterable[Event]) -> list[tuple[Event, bytes | None]]:
    """Events with their sound in a form that can be compared: an event alone compares its facts."""
    return [(event, None if event.audio is None else event.audio.tobytes()) for event in events]


class Scene:
    """A firmware between the fakes, and what happens around it, said in few words. Collects every event."""

    def __init__(self, settings: DeviceSettings | None = None) -> None:
        self.firmware = fake_firmware(settings)
        self.events: list[Event] = []
        self.sound = np.zeros(0, np.int16)

    def hear(self, count: int, *, alexa: float = 0.0, speech: float = 0.0) -> list[Event]:
        """Hear so many hops."""
        begin = self.firmware.clock
        sound = sound_of(begin, count * HOP, alexa=alexa, speech=speech)
        self.sound = np.concatenate((self.sound, np.zeros(begin - len(self.sound), np.int16), sound))
        return self._keep(hear(self.firmware, sound))

    def wake(self) -> str:
        """Hear the wake word; gives the clip."""
        (begin,) = kinds(self.hear(1, alexa=0.9), "capture_begin")
        return str(begin.facts["clip"])

    def turn(self) -> str:
        """A wake, something said, silence: the device is BUSY now. Gives the clip."""
        clip = self.wake()
        self.hear(10, speech=1.0)
        self.hear(10)
        assert self.state is State.BUSY
        return clip

    def order(self, name: str, clip: str | None = None, **facts: JSON) -> list[Event]:
        """Have it obey."""
        return self._keep(self.firmware.obey(Directive(name, clip, facts)))

    def say(self, clip: str | None, text: str, count: int) -> list[Event]:
        """Have it play a prompt of so many hops."""
        audio = base64.b64encode(encode_flac(np.full(count * HOP, 5, np.int16))).decode()
        return self.order("Speak", clip, text=text, audio=audio)

    @property
    def state(self) -> State:
        """What it is doing."""
        return self.firmware.state

    def _keep(self, events: list[Event]) -> list[Event]:
        self.events += events
        return events


def clip_of(events: Iterable[Event], clip: str) -> Sound:
    """The sound of a clip, from its parts."""
    return np.concatenate([e.audio for e in kinds(events, "part") if e.facts["clip"] == clip and e.audio is not None])


@cache
def kitchen() -> Overheard:
    """What the microphone hears in the shipped kitchen: "Unacceptable" wakes the real model, and later "A lecture"."""
    return overhear(load_scenario("kitchen-unacceptable"))


def kitchen_part() -> Sound:
    """12 s of it, about "Unacceptable", cut so that the hops fall as in the whole."""
    return kitchen().samples[112 * HOP : 262 * HOP]


def real_firmware(settings: DeviceSettings | None = None) -> Firmware:
    """The firmware with its real models."""
    return Firmware(settings or settings_of(), STREAM, load_scorers(("alexa",)), VoiceActivity())
