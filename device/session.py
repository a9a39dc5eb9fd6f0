"""One run of a device, put together: ears, firmware, spool, sender and whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from device.audio import Block, Pace, Source
from device.config import DeviceSettings
from device.ear import thresholds
from device.errors import DeviceError
from device.events import Event, Kind, Stream
from device.firmware import Firmware
from device.judges import Voice
from device.outbox import Outbox
from device.reload import compare
from device.runtime import Observer, Runtime
from device.second_looks import describe_verifier, load_second_looks
from uplink.address import ANYBODY, Access
from uplink.budget import Budget
from uplink.errors import KeysError
from uplink.keyring import FAR_END, Keyring
from uplink.message import JSON
from uplink.seal import Seal
from uplink.sender import Sender
from uplink.spool import Moment, Spool
from wakeword.scorer import ScorerGroup
from wakeword.sound import RATE

_SOUND = (
    "microphone_gone",
    "microphone_refused",
    "microphone_back",
    "microphone_level",
    "loudspeaker",
    "prompt_played",
)
_TOLD = {*Kind, *_SOUND, "dropped", "spool_rescued"} - {Kind.HOP, Kind.PART}
"""What the far end is told, as well as it goes."""
_NAMED = 10
"""Dropped clips that are named at the end; `misheard spool list` names all."""
_LAST_S = 2.0
"""After Ctrl-C nobody wants to wait longer for receipts; what has none is sent at the next start."""


def describe(settings: DeviceSettings, scorers: ScorerGroup) -> dict[str, JSON]:
    """The part of a run's manifest that says what the device was."""
    return {
        "device": settings.model_dump(mode="json"),
        "engine": scorers.engine,
        "models": dict(zip(scorers.names, scorers.hashes, strict=True)),
        "thresholds": thresholds(settings.wake, scorers),
        **describe_verifier(settings.wake),
    }


def _budget(settings: DeviceSettings) -> Budget:
    uplink = settings.uplink
    return Budget(uplink.spool_mb * 1_000_000, uplink.spool_days * 86_400, uplink.spool_policy)


@dataclass
class Session:
    """A device over a broker. `runtime.stop()` ends it early."""

    settings: DeviceSettings
    stream: Stream
    source: Source
    scorers: ScorerGroup
    voice: Voice
    url: str
    state: Path
    pace: Pace = "real"
    observers: Sequence[Observer] = ()
    on_block: Callable[[Block], None] | None = None
    access: Access = ANYBODY
    patient: bool = False
    """Whether it begins also where the broker cannot be had: what is heard waits."""
    prompt_delay: int = 0
    """Samples by which a prompt that is really played ends later."""

    def __post_init__(self) -> None:
        self._playing = False
        self._lost: list[str] = []
        looks = load_second_looks(self.settings.wake, self.scorers)
        firmware = Firmware(self.settings, self.stream, self.scorers, self.voice, looks, self.prompt_delay)
        seal = Seal(self._keys())
        self.runtime = Runtime(
            firmware,
            self.source,
            [self._carry, *self.observers],
            pace=self.pace,
            on_block=self.on_block,
        )
        uplink = self.settings.uplink
        self.spool = Spool(
            self.state / self.settings.name / "spool.sqlite",
            _budget(self.settings),
            now=lambda: Moment(firmware.clock / RATE, self.stream.utc_at(firmware.clock)),
            on_fact=self._note,
        )
        self.kept = False
        """Whether all that was captured is in the spool, so that ending at once loses nothing."""
        self._sender = Sender(
            self.settings.name,
            self.spool,
            self.url,
            seal=seal,
            on_directive=self.runtime.post,
            on_fact=self.runtime.tell,
            in_flight=uplink.in_flight,
            resend_s=uplink.resend_ms / 1000,
            access=self.access,
        )
        self._outbox = Outbox(
            self.settings.name,
            self._sender.submit_all,
            self._sender.trouble,
            carry=self._sender.carry,
            on_forget=self._sender.forget,
        )

    def _keys(self) -> Keyring:
        """Give the device's keys; raises KeysError where it has none, or trusts no far end."""
        keys = Keyring.of_device(self.state, self.settings.name)
        keys.own()
        if keys.trusted(FAR_END) is None:
            raise KeysError(
                f"{self.settings.name} trusts no far end yet; give it the far end's public key: "
                "misheard keys trust device far-end.pub"
            )
        return keys

    def _note(self, kind: str, facts: Mapping[str, JSON]) -> None:
        """Tell what the spool says, and keep what it had to drop."""
        if kind == "dropped" and facts["why"] != "deleted":
            self._lost.append(f"{facts['clip']} ({str(facts['why']).replace('_', ' ')})")
        self.runtime.tell(kind, facts)

    def _carry(self, event: Event) -> None:
        if event.kind == Kind.PART:
            self._outbox.put(event)
        elif event.kind == Kind.MUTE:
            self._sender.status({"muted": event.facts["muted"]})
        elif event.kind == "receipt":
            self._outbox.received(str(event.facts["clip"]), int(str(event.facts["number"])))
        elif event.kind == Kind.DELETE_CLIP:
            self._outbox.forget(str(event.facts["clip"]))
        elif event.kind == Kind.CLOCK_SET:
            self.stream = Stream.from_zero(self.stream.device, str(event.facts["zero"]))
        if self._playing and event.kind in _TOLD:
            told: dict[str, JSON] = {"sample": event.sample, "utc": self.stream.utc_at(event.sample)}
            self._sender.tell({**told, "kind": event.kind, **event.facts})

    def reload(self, wanted: DeviceSettings) -> None:
        """Go on by what these settings change and can be changed now, and tell what cannot; from any thread."""
        change = compare(self.settings, wanted)
        self.settings = change.settings
        self.spool.budget = _budget(change.settings)
        self.runtime.adopt(change.settings)
        self.runtime.tell("reloaded", {"changed": list(change.live), "restart": list(change.restart)})

    def play(self, answered: Callable[[float], bool] | None = None) -> bool:
        """Listen until the source ends, then wait for the last receipts; whether every part was received.

        `answered(timeout_s)` waits for the far end's last answers, where the far end is at hand. What is not received
        stays in the spool for the next start; so does everything when this raises: LinkError where the broker cannot
        be had at the start, DeviceError where the source breaks, a part could not be kept, or a clip was dropped.
        """
        received = False
        self._playing = True
        try:
            with self._metrics():
                self._sender.start(strict=not self.patient)
                try:
                    self.runtime.run()
                finally:
                    last_s = _LAST_S if self.runtime.stopped else self.settings.uplink.drain_ms / 1000
                    self._outbox.close(last_s)
                    self.kept = True
                    received = self._sender.drain(last_s)
                    if received and answered is not None:
                        answered(self.settings.uplink.drain_ms / 1000)
        finally:
            self._playing = False
            self._sender.close()
            self.spool.close()
        if self._lost:
            lost = list(dict.fromkeys(self._lost))
            more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
            raise DeviceError(
                f"these clips had to be dropped: {', '.join(lost[:_NAMED])}{more}; `misheard spool list` names all"
            )
        return received

    def _metrics(self) -> AbstractContextManager[object]:
        """Show the uplink's figures, where they are wanted."""
        port = self.settings.uplink.metrics_port
        if port is None:
            return nullcontext()
        from uplink.metrics import Metrics

        return Metrics(self._sender.figures, port)

    def manifest(self) -> Mapping[str, JSON]:
        """What this run rests on, as far as the device knows."""
        return {
            **describe(self.settings, self.scorers),
            "source": self.source.name,
            "utc": self.stream.utc_at(0),
        }
