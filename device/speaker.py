"""The loudspeaker: plays prompts through a helper process (`device.playing`), and says when they really sounded."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from device.cards import RATES, Opening
from device.child import ERROR, Child, ChildEndedError, Doorbell, Message, python
from device.echo import Played
from device.errors import DeviceError
from device.events import Event, Kind
from device.playing import BEGUN, COUNT, ENDED, PLAY, STOP, TIME
from device.stream_clock import encode
from uplink.message import JSON
from wakeword.sound import RATE, Samples, resample

START_S = 10.0
"""The longest that a loudspeaker may take to begin."""
LATE_S = 5.0
"""A sound that has not ended so long after it should have will not."""
_LOOK_S = 0.05
"""How soon a prompt stops that is interrupted."""

OnFact = Callable[[str, Mapping[str, JSON]], None]
SampleAt = Callable[[float], int | None]


@dataclass(frozen=True, eq=False)
class _Prompt:
    sample: int
    sound: Samples


class Speaker:
    """An observer of `device.runtime.Runtime`; nobody ever waits for it, and without a loudspeaker it is silent.

    Facts that it tells: `loudspeaker` (found, or why not, whenever that changes), and `prompt_played`: from which
    sample to which of the microphone's own stream a prompt was to be heard.
    """

    def __init__(
        self,
        name: str | None,
        on_fact: OnFact,
        sample_at: SampleAt = lambda _time: None,
        command: Sequence[str] = (),
        played: Played | None = None,
    ) -> None:
        """It is looked for with the first event. `name`: as `audio.loudspeaker`; `sample_at`: the sample of a time.

        What is played goes into `played`, too.
        """
        self._asked = json.dumps({"name": name, "rates": list(RATES)})
        self._command = [*(command or python("device.playing")), self._asked]
        self._on_fact, self._sample_at, self._plays = on_fact, sample_at, played or Played()
        self._orders: queue.SimpleQueue[_Prompt | None] = queue.SimpleQueue()
        self._wanted: _Prompt | None = None
        self._bell = Doorbell()
        self._child: Child | None = None
        self._opening = Opening(RATE, 1)
        self._found: str | None = None
        self._thread = threading.Thread(target=self._work, name="loudspeaker", daemon=True)
        self._begun = False

    def note(self, event: Event) -> None:
        """Take an event, in order."""
        if not self._begun:
            self._begun = True
            self._thread.start()
        if event.kind == Kind.PROMPT and event.audio is not None:
            self._wanted = _Prompt(event.sample, event.audio)
            self._orders.put(self._wanted)
        elif event.kind == Kind.PROMPT_END and not event.facts["heard_whole"]:
            self._wanted = None

    def close(self) -> None:
        """Be silent, and let go of the loudspeaker."""
        self._bell.ring()
        self._orders.put(None)
        if self._begun:
            self._thread.join()

    def _work(self) -> None:
        try:
            self._try(self._start)
            while (prompt := self._orders.get()) is not None and not self._bell.rung:
                if prompt is self._wanted:
                    self._try(partial(self._play, prompt))
        finally:
            self._drop()

    def _try(self, what: Callable[[], None]) -> None:
        """Do it; where it fails, tell why, once, and be ready to begin anew."""
        try:
            what()
        except (DeviceError, ChildEndedError) as error:
            self._drop()
            why = str(error) if isinstance(error, DeviceError) else f"the helper that holds the loudspeaker {error}"
            self._tell({"name": None, "why": f"{why}; the device goes on without a voice"})

    def _tell(self, facts: dict[str, JSON]) -> None:
        known = json.dumps(facts)
        if known != self._found and not self._bell.rung:
            self._found = known
            self._on_fact("loudspeaker", facts)

    def _start(self) -> None:
        self._child = Child(self._command)
        said = self._said(START_S)
        if said is None:
            raise DeviceError(f"the loudspeaker has not answered for {START_S:g} s")
        found = json.loads(said.body)
        self._opening = Opening(**found["opening"])
        self._tell({"name": found["card"]["name"], "why": None})

    def _play(self, prompt: _Prompt) -> None:
        if self._child is None:
            self._start()
        assert self._child is not None
        opening = self._opening
        sound = encode(resample(prompt.sound, opening.rate), opening.channels, opening.form)
        self._child.send(Message(PLAY, sound))
        until = time.monotonic() + START_S + len(prompt.sound) / RATE + LATE_S
        begun: float | None = None
        stopping = False
        while time.monotonic() < until and not self._bell.rung:
            if prompt is not self._wanted and not stopping:
                stopping = True
                self._child.send(Message(STOP))
            said = self._said(_LOOK_S)
            if said is not None and said.kind == BEGUN:
                (begun,) = TIME.unpack(said.body)
                at = self._sample_at(begun)
                if at is not None:
                    self._plays.begin(at, prompt.sound)
            elif said is not None and said.kind == ENDED:
                self._played(prompt, begun, COUNT.unpack(said.body)[0])
                return
        if not self._bell.rung:
            raise DeviceError("the loudspeaker has stopped in the middle")

    def _played(self, prompt: _Prompt, begun: float | None, frames: int) -> None:
        wanted = len(prompt.sound)
        count = min(wanted, round(frames * RATE / self._opening.rate))
        begin = None if begun is None else self._sample_at(begun)
        if begin is not None and count < wanted:
            self._plays.stop(begin + count)
        span: dict[str, JSON] = {"begin": begin, "end": None if begin is None else begin + count}
        self._on_fact("prompt_played", {"prompt": prompt.sample, **span, "whole": count >= wanted})

    def _said(self, patience_s: float) -> Message | None:
        assert self._child is not None
        said = self._child.receive(patience_s, self._bell)
        if said is not None and said.kind == ERROR:
            raise DeviceError(said.body.decode())
        return said

    def _drop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None
