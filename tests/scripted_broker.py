"""A broker of a few bytes that says what a test tells it to, where no real one would."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from tests.uplink_kit import DEADLINE_S

CONNECT, PUBLISH, SUBSCRIBE, DISCONNECT = 0x10, 0x30, 0x80, 0xE0


class Guest:
    """One connection, seen from the broker."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self._connection.recv(count - len(data))
            if not chunk:
                raise ConnectionError
            data += chunk
        return data

    def expect(self, kind: int) -> bytes:
        """Give what follows the fixed header of the next packet, which must be of this kind."""
        (first,) = self.read(1)
        length, shift = 0, 0
        while True:
            (byte,) = self.read(1)
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        body = self.read(length)
        assert first & 0xF0 == kind, hex(first)
        return body

    def version(self) -> int:
        """Read the CONNECT; gives 4 for MQTT 3.1.1, 5 for 5."""
        return self.expect(CONNECT)[6]

    def say(self, *packet: int) -> None:
        self._connection.sendall(bytes(packet))

    def accept(self, *properties: int) -> None:
        """Accept an MQTT 5 client, with these properties in the CONNACK."""
        self.say(0x20, 3 + len(properties), 0, 0, len(properties), *properties)

    def grant(self, code: int = 1) -> None:
        """Answer an MQTT 5 subscription to one topic."""
        body = self.expect(SUBSCRIBE)
        self.say(0x90, 4, *body[:2], 0, code)

    def published(self) -> tuple[int, int]:
        """Read a PUBLISH at QoS 1; gives the two bytes of its message id."""
        body = self.expect(PUBLISH)
        place = 2 + int.from_bytes(body[:2], "big")
        return body[place], body[place + 1]

    def acknowledge(self, mid: tuple[int, int], code: int = 0) -> None:
        self.say(0x40, 3, *mid, code)

    def is_silent(self, for_s: float) -> bool:
        """Whether nothing more comes for so long."""
        self._connection.settimeout(for_s)
        try:
            return self._connection.recv(1) == b"never"
        except TimeoutError:
            return True
        finally:
            self._connection.settimeout(DEADLINE_S)


@contextmanager
def scripted_broker(*acts: Callable[[Guest], object]) -> Iterator[str]:
    """Play one act for each connection that comes, and hang up after it; gives where. What an act asserts is raised."""
    failures: list[BaseException] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE_S)

        def play(remaining: Sequence[Callable[[Guest], object]]) -> None:
            for act in remaining:
                try:
                    connection, _ = server.accept()
                except OSError:  # the test has seen enough
                    return
                connection.settimeout(DEADLINE_S)
                with connection:
                    try:
                        act(Guest(connection))
                    except (ConnectionError, TimeoutError):
                        pass
                    except AssertionError as error:
                        failures.append(error)

        thread = threading.Thread(target=play, args=(acts,))
        thread.start()
        yield f"mqtt://127.0.0.1:{server.getsockname()[1]}"
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        thread.join(DEADLINE_S)
    if failures:
        raise failures[0]
