"""A month of a device and its far end in one program, on the sample clock: each day some hours of it are heard.

Nothing is left out but the waiting: the rest of a day the microphone is switched off, so that its samples are counted
and not scored. What is heard is one conversation, over and over, between quiet noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from device.audio import Block
from device.config import load_device
from device.events import Event, Kind, Stream
from device.mute import Hand
from device.records import Records
from device.session import Session
from sim.cloud.recognizer_process import RecognizerProcess
from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.settings import DeletionSettings, EarSettings
from sim.cloud.store import ClipStore
from sim.review.keeping import kept_daily
from tests.firmware_kit import kitchen_part
from tests.soak.figures import Figures
from uplink.broker import EmbeddedBroker
from uplink.keyring import Keyring, introduce
from uplink.message import JSON
from uplink.seal import Seal
from wakeword.frames import HOP
from wakeword.scorer import load_scorers
from wakeword.sound import RATE, Samples
from wakeword.vad import VoiceActivity

ZERO = datetime(2026, 1, 1, tzinfo=UTC)
DAY_S = 86_400
_MINUTE = 60 * RATE
KEPT_DAYS = 7
"""How long runs and clips are kept, so that in a month most of them go again."""


class Days:
    """The sound of so many days; a `device.audio.Source`. `switch` mutes; `at_end` is told of each day's end."""

    name = "days on end"

    def __init__(
        self,
        days: int,
        day_s: int,
        heard_s: int,
        wakes: int,
        switch: Callable[[bool], None],
        at_end: Callable[[int], None],
    ) -> None:
        self._days, self._day_s, self._switch, self._at_end = days, day_s, switch, at_end
        quiet = np.random.default_rng(1).normal(0.0, 12.0, _MINUTE).astype(np.int16)
        talk = kitchen_part()
        rest = heard_s * RATE // max(1, wakes) - len(talk)
        self._heard = wakes
        self._talk, self._quiet, self._rest = talk, quiet, rest - rest % HOP
        self._closed = False

    def close(self) -> None:
        self._closed = True

    def blocks(self) -> Iterator[Block]:
        index = 0
        for day in range(1, self._days + 1):
            self._switch(False)
            for sound in self._day(day * self._day_s * RATE, index):
                if self._closed:
                    return
                yield Block(index, sound)
                index += len(sound)
            self._at_end(day)

    def _day(self, end: int, index: int) -> Iterator[Samples]:
        for _ in range(self._heard):
            for begin in range(0, len(self._talk), HOP):
                yield self._talk[begin : begin + HOP]
            for begin in range(0, self._rest, _MINUTE):
                yield self._quiet[: min(_MINUTE, self._rest - begin)]
            index += len(self._talk) + self._rest
        self._switch(True)
        while index < end:
            silence = np.zeros(min(_MINUTE, end - index), np.int16)
            yield silence
            index += len(silence)


def live(
    folder: Path,
    days: int,
    heard_s: int,
    wakes: int,
    *,
    day_s: int = DAY_S,
    recognizer: str = "none",
    note: Callable[[Figures], None] = lambda _: None,
) -> list[Figures]:
    """Let so many days pass, of which `heard_s` seconds each are heard with so many conversations in them.

    `day_s`: how long a day is, which is also how long a run lasts.
    """
    kept = KEPT_DAYS * day_s / DAY_S
    keep = {"run_hours": day_s / 3600, "run_days": kept, "run_mb": 500}
    settings = load_device("echo-dot", [(f"keep.{name}", str(value)) for name, value in keep.items()])
    stream, state, rows = Stream(settings.name, ZERO), folder / "state", [0]
    figures: list[Figures] = []

    def now() -> datetime:
        return ZERO + timedelta(seconds=clock() / RATE)

    def clock() -> int:
        return session.runtime._firmware.clock

    def far_end_told(kind: str, _facts: object) -> None:
        if kind == "complete":
            rows[0] += 1

    def watch(event: Event) -> None:
        if event.kind == Kind.WAKE:
            woke[0] += 1

    def at_end(day: int) -> None:
        far_end.wait_answered(60.0)
        figures.append(Figures.now(day, folder, woke[0], rows[0]))
        note(figures[-1])

    def tell(kind: str, facts: dict[str, JSON]) -> None:
        session.runtime.tell(kind, facts)

    woke = [0]
    keys = Keyring.of_far_end(state / "cloud")
    introduce(Keyring.of_device(state, settings.name), keys)
    scorers = load_scorers(settings.wake.words, settings.wake.engine)
    records = Records(folder / "runs", settings, stream, scorers, tell, live=False, keep_audio=False)  # type: ignore[arg-type]
    with ExitStack() as stack:
        store = ClipStore(state / "cloud", now=now)
        stack.callback(store.close)
        ears = EarSettings(recognizer=recognizer)
        listener = RecognizerProcess(ears.recognizer, ears, None)
        stack.callback(listener.close)
        broker = stack.enter_context(EmbeddedBroker())
        far_end = FarEnd(Cloud(store, listener), broker.url, Seal(keys), on_event=far_end_told)
        source = Days(days, day_s, heard_s, wakes, lambda muted: session.runtime.switch(muted, Hand.BUTTON), at_end)
        session = Session(
            settings,
            stream,
            source,
            scorers,
            VoiceActivity(),
            broker.url,
            state,
            "fast",
            [*records.observers, watch],
            records.on_block,
        )
        stack.enter_context(far_end)
        stack.enter_context(
            kept_daily(
                store,
                keys,
                DeletionSettings(keep_days=max(1, round(kept))),
                far_end_told,
                first_s=1.0,
                every_s=1.0,
                now=now,
                monotonic_s=lambda: clock() / RATE,
            )
        )
        records.manifest = session.manifest()
        received = session.play()
        records.close()
    assert received
    return figures
