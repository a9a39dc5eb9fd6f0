"""From the end of a clip to the receipt that completes it, over brokers on loopback."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from device.audio import ArraySource
from device.config import load_device
from device.events import Event, Kind
from device.outbox import as_part
from device.session import Session
from tests.bench.clock import HeadStart
from tests.bench.effort import Effort
from tests.bench.figure import Figure, Row, in_turn
from tests.bench.kitchen import new_stream, scene
from tests.bench.machine import mosquitto_program
from tests.bench.peers import BarePublisher
from tests.bench.process import far_end_on
from tests.uplink_kit import free_port, mosquitto
from uplink.broker import EmbeddedBroker
from uplink.keyring import Keyring
from uplink.message import encode_part
from uplink.seal import Seal
from wakeword import load_scorers
from wakeword.scorer import ScorerGroup
from wakeword.sound import RATE
from wakeword.vad import VoiceActivity

_PACED_S = 1.2
"""How much of the sound before the end comes as slowly as it is heard: the other parts are received meanwhile."""


def rows(effort: Effort) -> Iterator[Row]:
    """Measure deliveries over the embedded broker, and over Mosquitto where it is installed."""
    program = mosquitto_program()
    with tempfile.TemporaryDirectory(prefix="misheard-bench-") as name:
        folder = Path(name)
        with EmbeddedBroker() as broker:
            yield from _over("the embedded broker", broker.url, folder / "embedded", effort)
        if program is None:
            yield Row("capture end to receipt, mosquitto", remark="skipped: mosquitto is not installed")
            return
        with mosquitto(program, folder, free_port()) as url:
            yield from _over("mosquitto", url, folder / "mosquitto", effort)


def _over(broker: str, url: str, folder: Path, effort: Effort) -> Iterator[Row]:
    with ExitStack() as stack:
        stack.enter_context(far_end_on(url, folder))
        device = _Device(load_scorers(["alexa"]), url, folder)
        bare = stack.enter_context(BarePublisher(url))
        took = in_turn(
            effort.clips,
            effort.warm_up,
            {
                "ours": device.deliver_ms,
                "bare": lambda: 1e3 * bare.seconds(device.last_part),
                "disk": lambda: _durable_ms(folder, device.last_part),
            },
        )
        ours, bare_ms, disk = took["ours"], took["bare"], took["disk"]
    yield Row(
        f"capture end to receipt, {broker}",
        "ms",
        ours,
        "bare paho, QoS 1 acknowledged",
        bare_ms,
        bare_ms.over(ours),
        remark=f"last part {len(device.last_part) / 1000:.1f} kB; to keep it takes the disk {_range(disk)} ms",
    )


def _range(figure: Figure) -> str:
    return f"{min(figure.values):.1f} to {max(figure.values):.1f}"


class _Device:
    """Delivers the same clip again and again, each time on a new stream."""

    def __init__(self, scorers: ScorerGroup, url: str, state: Path) -> None:
        self._scorers, self._url, self._state = scorers, url, state
        self._numbers = count()
        self.last_part = b""

    def deliver_ms(self) -> float:
        """Milliseconds from the CAPTURE_END event to the receipt that says that the clip is complete."""
        stage, settings = scene(), load_device()
        seal = Seal(Keyring.of_device(self._state, settings.name))
        moments: dict[str, float] = {}
        received: list[int] = []

        def watch(event: Event) -> None:
            if event.kind == Kind.PART:
                self.last_part = encode_part(as_part(settings.name, event), seal)
            elif event.kind == Kind.CAPTURE_END:
                moments["end"] = time.perf_counter()
                assert len(received) == int(str(event.facts["parts"])) - 1, "an earlier part is still on its way"
            elif event.kind == "receipt":
                received.append(int(str(event.facts["number"])))
                if event.facts["complete"]:
                    moments["receipt"] = time.perf_counter()

        self._scorers.reset()
        source = ArraySource(stage.sound, "real", clock=HeadStart(stage.capture_end / RATE - _PACED_S))
        stream = new_stream(settings, next(self._numbers))
        session = Session(
            settings, stream, source, self._scorers, VoiceActivity(), self._url, self._state, observers=[watch]
        )
        if not session.play():
            raise TimeoutError("the far end has not received the clip")
        return (moments["receipt"] - moments["end"]) * 1e3


def _durable_ms(folder: Path, data: bytes) -> float:
    """Write a new file and wait until it is on the disk, as device and far end each must."""
    began = time.perf_counter()
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1e3
