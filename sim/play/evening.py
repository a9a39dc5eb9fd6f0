"""The loop of a play: the home is heard hop by hop, what devices say goes back into it, and the far end answers.

Virtual time, one thread. All devices share one clock; within a hop they take turns in the order of the scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from device.audio import Block
from device.events import Event, Kind
from device.outbox import as_part
from sim.cloud.answer import Fact
from sim.home.truth import Happening
from sim.play.speaker import Speaker
from sim.play.wire import Reply, Wire
from wakeword.frames import HOP
from wakeword.sound import RATE

LAST_S = 60
"""How long after its end a home is listened to, so that a turn under way comes to its end."""

Heard = Callable[[str, Block], None]
"""Takes what a device's microphone heard."""


class Home(Protocol):
    """What goes on around the devices; `sim.home.home.Home` is one."""

    @property
    def clock(self) -> int:
        """Samples handed out so far."""
        ...

    @property
    def over(self) -> bool:
        """Whether nothing more will be said."""
        ...

    def advance(self, samples: int) -> Mapping[str, NDArray[np.int16]]:
        """Give the next samples at each device's microphone."""
        ...

    def play(self, device: str, sound: NDArray[np.int16], text: str) -> None:
        """Let a device's loudspeaker begin now."""
        ...

    def stop(self, device: str) -> None:
        """Break off what a device's loudspeaker plays."""
        ...

    def happenings(self) -> Iterable[Happening]:
        """Give what happened since the last call, in order."""
        ...


class Evening:
    """A home, its devices, and the far end behind a wire; `switch`: presses of mute buttons (device, sample, muted)."""

    def __init__(
        self,
        home: Home,
        speakers: Mapping[str, Speaker],
        wire: Wire,
        switch: Iterable[tuple[str, int, bool]] = (),
        on_heard: Heard = lambda _device, _block: None,
    ) -> None:
        self._home, self._speakers, self._wire, self._on_heard = home, speakers, wire, on_heard
        for device, at, muted in switch:
            speakers[device].press(muted, at)

    def play(self, wait: Callable[[int], None] = lambda _clock: None) -> None:
        """Play it to the end; `wait(clock)` returns when the sample has come, which in virtual time it always has."""
        last = None
        while not self._home.over or (not self._quiet() and self._home.clock < (last or 0)):
            self._hop()
            wait(self._home.clock)
            if self._home.over and last is None:
                last = self._home.clock + LAST_S * RATE
        for speaker in self._speakers.values():
            self._carry(speaker, speaker.obey())

    def finish(self) -> None:
        """Close what is open; to be called once, also where the play was broken off."""
        for speaker in self._speakers.values():
            self._carry(speaker, speaker.firmware.finish())

    def _quiet(self) -> bool:
        return all(speaker.quiet for speaker in self._speakers.values())

    def _hop(self) -> None:
        for speaker in self._speakers.values():
            self._carry(speaker, speaker.obey())
        begin = self._home.clock
        sounds = self._home.advance(HOP)
        for happening in self._home.happenings():
            for speaker in self._speakers.values():
                speaker.tell(Event(happening.sample, happening.kind, happening.facts))
        for name, sound in sounds.items():
            block, speaker = Block(begin, sound), self._speakers[name]
            if not speaker.firmware.muted:
                self._on_heard(name, block)
            self._carry(speaker, speaker.hear(block))

    def _carry(self, speaker: Speaker, events: Iterable[Event]) -> None:
        """Tell events, do what they ask for, then tell what the far end made of them and pass its orders on."""
        answers: list[Reply] = []
        for event in events:
            speaker.tell(event)
            if event.kind == Kind.PART:
                for reply in self._wire.send(as_part(speaker.name, event)):
                    if isinstance(reply, Fact) and reply.kind in ("part_sent", "receipt"):
                        speaker.tell(Event(event.sample, reply.kind, reply.facts))
                    else:
                        answers.append(reply)
                continue
            if event.kind == Kind.PROMPT:
                assert event.audio is not None
                self._home.play(speaker.name, event.audio, str(event.facts["text"]))
            elif event.kind == Kind.PROMPT_END and not event.facts["heard_whole"]:
                self._home.stop(speaker.name)
            self._wire.note(speaker.name, event)
        for answer in answers:
            if isinstance(answer, Fact):
                speaker.tell(Event(speaker.firmware.clock, answer.kind, answer.facts))
            else:
                self._speakers[answer.device].order(answer.directive)
