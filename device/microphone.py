"""A real microphone, held by a helper process (`device.capturing`); one that goes is waited for and taken up again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from device import capturing
from device.absence import Absence
from device.audio import Block
from device.cards import OTHERWISE, RATES, Card, Opening
from device.child import ERROR, Child, ChildEndedError, Doorbell, Message, python
from device.errors import DeviceError
from device.intake import Piece
from device.level import Check, advice
from device.stream_clock import Timeline, decode, loudest
from uplink.message import JSON
from wakeword.sound import RATE

START_S = 10.0
"""The longest that a microphone may take to begin: one behind Bluetooth or a sleeping sound server needs seconds."""
STALL_S = 1.5
"""A microphone that gives nothing for so long has gone."""
RETRY_S, RETRY_MOST_S = 0.5, 5.0
"""How soon it is looked for again, and how seldom at most."""
STEADY_S = 10.0
"""Once it has been heard so long, the next look comes as soon as the first did."""
TICK_S = 0.25
"""How often a wait is interrupted by an empty block, so that the device can do what else it is told."""
LOOK_S = 1.0
"""How much is heard before the loudest channel is chosen."""

Channel = int | Literal["loudest"]
OnFact = Callable[[str, Mapping[str, JSON]], None]

_NOTHING = np.zeros(0, np.int16)


class _ClosedError(Exception):
    """The microphone was closed during a wait."""


class _GoneError(DeviceError):
    """It was heard until now; the text says how it went."""


class Microphone:
    """One channel of a microphone, at 16 kHz on a clock that keeps counting over losses; a `device.audio.Source`.

    It is chosen by name or USB serial, for a card's number moves between boots, and opened in the first way that works.
    Facts that it tells: `microphone_gone`, `microphone_refused`, `microphone_back`, `microphone_level`.
    """

    def __init__(
        self,
        name: str | None = None,
        channel: Channel = 0,
        rates: Sequence[int] = RATES,
        block_ms: float = 20.0,
        room_s: float = 8.0,
        on_fact: OnFact = lambda _kind, _facts: None,
        command: Sequence[str] = (),
    ) -> None:
        """Look for the microphone; it is opened by `blocks`.

        `name` is the whole name, a USB serial or port, or a part of the name that only one has (None: the system's
        default); `channel` counts from 0; `room_s` is how long the device may be busy elsewhere before blocks are lost;
        `command` is the helper's. Raises DeviceError.
        """
        self._asked = {
            "name": name,
            "channel": None if channel == "loudest" else channel,
            "rates": list(rates),
            "block_ms": block_ms,
            "room_s": room_s,
        }
        self._channel, self._on_fact = channel, on_fact
        self._command = list(command or python("device.capturing"))
        self._bell = Doorbell()
        self._child: Child | None = None
        self._absence: Absence | None = None
        self._heard = False
        self._end = 0  # of the last block given
        self._now: tuple[float, int] | None = None  # monotonic seconds, and the sample of that time
        self.overflows = 0
        """How often the sound system said that it dropped input."""
        child = self._start(look=True)
        try:
            for _ in self._found(child):
                pass
        finally:
            child.kill()

    @property
    def helper(self) -> int | None:
        """The process that holds the microphone just now."""
        return self._child.pid if self._child is not None else None

    def close(self) -> None:
        """Make `blocks` end at once."""
        self._bell.ring()

    def sample_at(self, monotonic_s: float) -> int | None:
        """The sample of a time on the monotonic clock; None before anything was heard."""
        if self._now is None:
            return None
        return self._now[1] + round((monotonic_s - self._now[0]) * RATE)

    def blocks(self) -> Iterator[Block]:
        """Open the microphone and give what it hears; see `Source.blocks`.

        While it is away, blocks without samples tell what is lost; they come also where nothing is, for the sake of
        who waits. Raises DeviceError when it cannot be opened, or gives nothing, the first time.
        """
        pause_s, refused, began = RETRY_S, "", time.monotonic()
        while not self._bell.rung:
            try:
                yield from self._stay()
            except _ClosedError:
                return
            except _GoneError as gone:
                pause_s = RETRY_S if time.monotonic() - began > STEADY_S else pause_s
                refused = ""
                self._on_fact("microphone_gone", {"name": self.name, "why": str(gone)})
            except DeviceError as error:
                if not self._heard:
                    raise
                if str(error) != refused:
                    refused = str(error)
                    self._on_fact("microphone_refused", {"why": refused})
            yield from self._pause(pause_s)
            pause_s, began = min(2 * pause_s, RETRY_MOST_S), time.monotonic()

    def _stay(self) -> Iterator[Block]:
        """Give what is heard until it goes (_GoneError), or cannot be heard at all (DeviceError)."""
        self._child = child = self._start()
        try:
            yield from self._found(child)
            ahead = [(yield from self._piece(child, START_S))]
            while self._channel == "loudest" and sum(each.frames for each in ahead) < LOOK_S * self.opening.rate:
                ahead.append((yield from self._piece(child, STALL_S)))
            timeline, check = self._begin(ahead), Check()
            try:
                while True:
                    yield from self._hear(timeline, ahead.pop(0), check)
                    if not ahead:
                        ahead.append((yield from self._piece(child, STALL_S)))
            except DeviceError as error:
                for block in timeline.finish():
                    self._end = block.end
                    yield block
                self._absence = Absence(timeline.heard_until_s)
                raise _GoneError(str(error)) from error
        finally:
            child.kill()
            self._child = None

    def _hear(self, timeline: Timeline, piece: Piece, check: Check) -> Iterator[Block]:
        overflows = timeline.overflows
        for block in timeline.blocks(piece):
            self._end = block.end
            yield block
            level = check.hear(block.samples)
            if level is not None:
                facts: dict[str, JSON] = {"rms_dbfs": level.rms_dbfs, "peak_dbfs": level.peak_dbfs}
                facts |= {"offset": level.offset, "clipped": level.clipped, "constant": level.constant}
                self._on_fact("microphone_level", {"name": self.name, **facts, "advice": advice(level)})
        self.overflows += timeline.overflows - overflows
        self._now = timeline.heard_until_s, timeline.heard_until

    def _begin(self, ahead: Sequence[Piece]) -> Timeline:
        """The clock of what is heard from now on; it goes on where an absence led to."""
        opening, channel = self.opening, self._channel
        if channel == "loudest":
            frames = [decode(piece.data, opening.channels, opening.form) for piece in ahead]
            channel = loudest(np.concatenate(frames))
        lost = 0
        if self._absence is not None:
            lost = self._absence.end(ahead[0].arrival_s - ahead[0].frames / opening.rate)
            back: dict[str, JSON] = {"name": self.name, "samples": self._absence.counted}
            self._on_fact("microphone_back", back)
        self._heard, self._absence = True, None
        form: dict[str, Any] = {"form": opening.form, "begin": self._end, "lost": lost, "why": "gone"}
        return Timeline(opening.rate, opening.channels, channel, **form)

    def _pause(self, seconds: float) -> Iterator[Block]:
        until = time.monotonic() + seconds
        while not self._bell.wait(min(TICK_S, left := until - time.monotonic())) and left > 0:
            yield self._tick()

    def _tick(self) -> Block:
        lost = self._absence.step(time.monotonic()) if self._absence is not None else 0
        self._end += lost
        return Block(self._end, _NOTHING, lost, "gone" if lost else None)

    # What the helper says.

    def _start(self, look: bool = False) -> Child:
        asked = json.dumps({**self._asked, "look": look})
        return Child([*self._command, asked])

    def _found(self, child: Child) -> Iterator[Block]:
        """Wait for which microphone it is, and how it opens."""
        said = yield from self._said(child, START_S)
        if said is None:
            raise DeviceError(f"the sound system has not answered for {START_S:g} s; restart it, {OTHERWISE}")
        found = json.loads(said.body)
        self.name, self.opening = str(found["card"]["name"]), Opening(**found["opening"])

    def _piece(self, child: Child, patience_s: float) -> Generator[Block, None, Piece]:
        said = yield from self._said(child, patience_s)
        if said is None:
            raise DeviceError(f"the microphone {self.name!r} has given nothing for {patience_s:g} s{self._mend()}")
        if said.kind == capturing.GONE:
            raise DeviceError(f"the microphone {self.name!r} has disappeared{self._mend()}")
        return Piece.unpack(said.body)

    def _mend(self) -> str:
        return "; it is waited for" if self._heard else f"; plug it in and start again, {OTHERWISE}"

    def _said(self, child: Child, patience_s: float) -> Generator[Block, None, Message | None]:
        """Its next message, empty blocks while that is waited for; None where none comes in time."""
        until = time.monotonic() + patience_s
        while True:
            left = until - time.monotonic()
            try:
                said = child.receive(max(0.0, min(TICK_S, left)), self._bell)
            except ChildEndedError as ended:
                raise DeviceError(f"the helper that holds the microphone {ended}{self._mend()}") from ended
            if self._bell.rung:
                raise _ClosedError
            if said is None and left > 0:
                yield self._tick()
            elif said is not None and said.kind == ERROR:
                raise DeviceError(said.body.decode())
            else:
                return said


def list_cards() -> tuple[list[Card], Mapping[str, int]]:
    """Every card, and by "microphone" and "loudspeaker" the index of the system's own choice. Raises DeviceError."""
    child = Child([*python("device.capturing"), json.dumps({"list": True})])
    try:
        said = child.receive(START_S, Doorbell())
    except ChildEndedError as ended:
        raise DeviceError(f"the helper that asks for microphones {ended}; report this") from ended
    finally:
        child.kill()
    if said is None:
        raise DeviceError(f"the sound system has not answered for {START_S:g} s; restart it")
    if said.kind == ERROR:
        raise DeviceError(said.body.decode())
    facts = json.loads(said.body)
    return [Card.from_facts(card) for card in facts["cards"]], facts["default"]
