"""Whatever a broker says, byte for byte: the connection ends with a sentence, and nothing else happens."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import pytest

from tests.fuzz.conftest import Hunt
from tests.fuzz.mutation import spoil
from uplink.address import ANYBODY, Address
from uplink.connection import Client, Connection, Version

TOPIC = b"misheard/v1/dot/receipt"
PUBLISH = b"\x32" + bytes([2 + len(TOPIC) + 2 + 4]) + len(TOPIC).to_bytes(2, "big") + TOPIC + b"\x00\x01" + b"body"
PUBLISH_5 = (
    b"\x32" + bytes([2 + len(TOPIC) + 3 + 4]) + len(TOPIC).to_bytes(2, "big") + TOPIC + b"\x00\x01\x00" + b"body"
)
TALKS: dict[Version, list[bytes]] = {
    "3.1.1": [b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x01", PUBLISH, b"\x40\x02\x00\x02", b"\xd0\x00"],
    "5": [
        b"\x20\x09\x00\x00\x06\x21\x00\x14\x22\x00\x0a",
        b"\x90\x04\x00\x01\x00\x01",
        PUBLISH_5,
        b"\x40\x04\x00\x02\x10\x00",
        b"\xe0\x02\x8b\x00",
    ],
}


class Talk(NamedTuple):
    """What the broker says, and in which version it is asked to."""

    version: Version
    said: bytes


class Speaker:
    """Accepts each connection, says its piece, and hangs up."""

    def __init__(self) -> None:
        self.said = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.sendall(self.said)
                connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(20)


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    speaker = Speaker()
    yield speaker
    speaker.close()


def test_what_a_broker_says(hunt: Hunt[Talk], speaker: Speaker) -> None:
    address = Address.parse(f"mqtt://127.0.0.1:{speaker.port}")

    def make(chance: random.Random) -> Talk:
        version = chance.choice(tuple(TALKS))
        packets = list(TALKS[version])
        at = chance.randrange(len(packets))
        packets[at] = spoil(chance, packets[at], TALKS[version])
        return Talk(version, b"".join(packets))

    def read(talk: Talk) -> str:
        came: list[tuple[str, bytes]] = []
        client = Client(
            name="misheard-dot",
            topics=("misheard/v1/dot/receipt",),
            will=None,
            session_s=0,
            step_s=5.0,
            clock=lambda: 0.0,
            on_up=lambda: None,
            on_message=lambda topic, payload: came.append((topic, payload)),
            on_fate=lambda *_: None,
        )
        speaker.said = talk.said
        reason = Connection(address, ANYBODY, client, talk.version).run()
        assert reason
        assert "\n" not in reason
        assert len(reason) < 600
        for word in ("speaks no MQTT", "refuses", "ended"):
            if word in reason:
                return word
        return "something else" if reason else "nothing"

    hunt("what a broker says (MQTT)", make, read)
