"""The wire of a play over a real broker: real senders and a real far end, waited for until they are quiet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from device.config import DeviceSettings
from device.events import Event, Kind
from sim.cloud.answer import OWN_NEWS, Directed, Fact
from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.errors import SimError
from sim.play.wire import Reply
from uplink.broker import EmbeddedBroker
from uplink.budget import Budget
from uplink.keyring import Keyring, introduce
from uplink.message import JSON, Directive, Part
from uplink.seal import Seal
from uplink.sender import Sender
from uplink.spool import Moment, Spool
from wakeword.sound import RATE

WAIT_S = 120.0
"""How long the far end may take over one part, or over the clip that it ends."""


class Brokered:
    """Devices and the far end on an embedded broker, all in this program and under `state`.

    `utc_at(sample)` dates what waits in the spools; `keys` are the far end's. Raises SimError where an answer does
    not come.
    """

    name = "mqtt"

    def __init__(
        self,
        cloud: Cloud,
        devices: Sequence[DeviceSettings],
        state: Path,
        utc_at: Callable[[int], str],
        keys: Keyring,
    ) -> None:
        self._changed = threading.Condition()
        self._told: list[Fact] = []  # by the far end
        self._sent: list[Fact] = []  # by the senders
        self._directed: list[Directed] = []  # come to the devices, and not given on yet
        self._obeyed = 0  # given on
        self._clock = 0
        self._utc_at = utc_at
        self._all = ExitStack()
        try:
            self._open(cloud, devices, state, keys)
        except BaseException:  # also Ctrl-C: broker and threads that have begun must not outlive this
            self._all.close()
            raise

    def _open(self, cloud: Cloud, devices: Sequence[DeviceSettings], state: Path, keys: Keyring) -> None:
        broker = self._all.enter_context(EmbeddedBroker())
        for each in devices:
            introduce(Keyring.of_device(state, each.name), keys)
        self._far_end = FarEnd(cloud, broker.url, Seal(keys), on_event=self._hear_far_end)
        self._all.enter_context(self._far_end)
        self._senders = {each.name: self._sender(each, broker.url, state) for each in devices}

    def _sender(self, settings: DeviceSettings, url: str, state: Path) -> Sender:
        uplink = settings.uplink
        spool = Spool(
            state / settings.name / "spool.sqlite",
            Budget(uplink.spool_mb * 1_000_000, uplink.spool_days * 86_400, uplink.spool_policy),
            now=lambda: Moment(self._clock / RATE, self._utc_at(self._clock)),
            on_fact=self._hear_sender,
        )
        self._all.callback(spool.close)
        sender = Sender(
            settings.name,
            spool,
            url,
            seal=Seal(Keyring.of_device(state, settings.name)),
            on_directive=lambda directive: self._hear_directive(settings.name, directive),
            on_fact=self._hear_sender,
            in_flight=uplink.in_flight,
            resend_s=WAIT_S,  # the clock on the wall decides nothing here
        )
        sender.start(strict=True)
        self._all.callback(sender.close)
        return sender

    def send(self, part: Part) -> list[Reply]:
        """See `Wire.send`."""
        self._clock = part.end
        self._senders[part.device].submit(part)
        self._wait(part, lambda: self._receipted(part))
        if not self._far_end.wait_answered(WAIT_S):
            raise SimError(_late(part))
        self._wait(part, lambda: len(self._directed) == self._far_end.directed - self._obeyed)
        with self._changed:
            replies: list[Reply] = [*self._sent, *self._told, *self._directed]
            self._obeyed += len(self._directed)
            for each in (self._sent, self._told, self._directed):
                each.clear()
        return replies

    def _wait(self, part: Part, until: Callable[[], bool]) -> None:
        with self._changed:
            if not self._changed.wait_for(until, WAIT_S):
                raise SimError(_late(part))

    def _receipted(self, part: Part) -> bool:
        return any(
            fact.kind == "receipt" and (fact.facts["clip"], fact.facts["number"]) == (part.clip, part.number)
            for fact in self._sent
        )

    def note(self, device: str, event: Event) -> None:
        """See `Wire.note`; hops are too many, and concern nobody."""
        if event.kind == Kind.HOP:
            return
        sender = self._senders[device]
        if event.kind == Kind.MUTE:
            sender.status({"muted": event.facts["muted"]})
        elif event.kind == Kind.DELETE_CLIP:
            sender.forget(str(event.facts["clip"]))
        told: dict[str, JSON] = {"sample": event.sample, "utc": self._utc_at(event.sample)}
        sender.tell({**told, "kind": event.kind, **event.facts})

    def close(self) -> None:
        """See `Wire.close`."""
        self._all.close()

    # On other threads.

    def _hear_far_end(self, kind: str, facts: Mapping[str, JSON]) -> None:
        if kind not in OWN_NEWS:
            with self._changed:
                self._told.append(Fact(kind, facts))

    def _hear_sender(self, kind: str, facts: Mapping[str, JSON]) -> None:
        with self._changed:
            self._sent.append(Fact(kind, facts))
            self._changed.notify_all()

    def _hear_directive(self, device: str, directive: Directive) -> None:
        with self._changed:
            self._directed.append(Directed(device, directive))
            self._changed.notify_all()


def _late(part: Part) -> str:
    return f"the far end did not answer part {part.number} of clip {part.clip} within {WAIT_S:g} s; try again"
