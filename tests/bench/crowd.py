"""``python -m tests.bench.crowd URL STATE SOUNDS DEVICES``: many devices in one program, each with a key and a link.

They seal, send, send again and check receipts as a device does, but keep what waits in memory: a thousand spools on one
disk would measure the disk.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from pathlib import Path

from tests.bench.wire import ACCESS, clip, sounds
from tests.bench.worker import serve
from uplink.envelope import digest_of
from uplink.keyring import Keyring, introduce
from uplink.link import Link
from uplink.message import decode_receipts, encode_part, topic
from uplink.seal import Seal

_AT_ONCE = 50
"""Devices that connect at the same time: a broker lets only so many wait for it to accept them."""
_UP_S = 20.0
_RESEND_S = 5.0


class _Device:
    """Sends one clip of one part; `took_ms` is from then to its receipt."""

    def __init__(self, name: str, url: str, state: Path, far_end: Keyring) -> None:
        self._name = name
        ring = Keyring.of_device(state, name)
        introduce(ring, far_end)
        self._seal = Seal(ring)
        self._payload = b""
        self._began = 0.0
        self._sent = math.inf  # not yet
        self._up = threading.Event()
        self.took_ms: float | None = None
        self._link = Link(
            url,
            f"misheard-{name}",
            topics=[topic(name, "receipt"), topic(name, "directive")],
            on_message=self._receive,
            on_up=self._up.set,
            on_down=lambda _reason: None,
            access=ACCESS,
        )

    def open(self) -> None:
        self._link.open()

    def wait_up(self) -> None:
        if not self._up.wait(_UP_S):
            raise TimeoutError(f"{self._name} has no connection after {_UP_S:g} s")

    def close(self) -> None:
        self._link.close()

    def send(self, sound: bytes) -> str:
        """Send it as a clip; gives its name."""
        self._began = time.perf_counter()
        (part,) = clip(self._name, 0, [sound])
        self._payload = encode_part(part, self._seal)
        self._publish()
        return part.clip

    def send_again(self) -> bool:
        """Send it again where its receipt is late; whether it was."""
        late = self.took_ms is None and time.perf_counter() - self._sent > _RESEND_S
        if late:
            self._publish()
        return late

    def _publish(self) -> None:
        self._sent = time.perf_counter()
        self._link.publish(topic(self._name, "part"), self._payload, qos=1)

    def _receive(self, name: str, payload: bytes) -> None:
        if name == topic(self._name, "receipt") and self.took_ms is None:
            (receipt,) = decode_receipts(self._name, payload, self._seal)
            assert receipt.digest == digest_of(self._payload)
            self.took_ms = 1e3 * (time.perf_counter() - self._began)


class _Crowd:
    def __init__(self, url: str, state: Path, audio: list[bytes], count: int) -> None:
        far_end = Keyring.of_far_end(state / "cloud")
        self._audio = audio
        self._devices = [_Device(f"dot-{number:04}", url, state, far_end) for number in range(count)]

    def connect(self) -> None:
        """Connect them all."""
        for first in range(0, len(self._devices), _AT_ONCE):
            group = self._devices[first : first + _AT_ONCE]
            for device in group:
                device.open()
            for device in group:
                device.wait_up()

    def speak(self, seconds: float, patience_s: float) -> dict[str, object]:
        """Let them send one after the other within these seconds, and wait for the last receipts at most so long.

        Gives the names of the clips, how many were sent again, and the milliseconds to the receipts that came.
        """
        clips, again, began = [], 0, time.perf_counter()
        for index, device in enumerate(self._devices):
            _sleep_until(began + index * seconds / len(self._devices))
            clips.append(device.send(self._audio[index % len(self._audio)]))
            again += self._send_again()
        end = time.perf_counter() + patience_s
        while any(device.took_ms is None for device in self._devices) and time.perf_counter() < end:
            again += self._send_again()
            time.sleep(0.1)
        took_ms = [device.took_ms for device in self._devices if device.took_ms is not None]
        return {"clips": clips, "again": again, "ms": took_ms}

    def close(self) -> None:
        """Disconnect them all."""
        for device in self._devices:
            device.close()

    def _send_again(self) -> int:
        return sum(device.send_again() for device in self._devices)


def _sleep_until(when: float) -> None:
    time.sleep(max(0.0, when - time.perf_counter()))


def main(url: str, state: str, audio: str, count: str) -> None:
    """Be the devices."""
    crowd = _Crowd(url, Path(state), sounds(Path(audio)), int(count))
    try:
        serve(connect=crowd.connect, speak=crowd.speak)
    finally:
        crowd.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
