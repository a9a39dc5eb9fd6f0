"""A link against brokers that are none: each failure is one sentence, at once, and close always comes back."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.uplink_kit import DEADLINE_S, free_port
from uplink import link as link_module
from uplink.address import Access
from uplink.broker import EmbeddedBroker
from uplink.errors import AddressError, LinkError
from uplink.link import Link

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x01"
SUBACK_REFUSED = b"\x90\x03\x00\x01\x80"


def make(url: str, *, allow_plain: bool = False, **callbacks: Callable[..., None]) -> Link:
    def ignore(*_: object) -> None:
        pass

    return Link(
        url,
        "tester",
        topics=["misheard/v1/+/event"],
        on_message=callbacks.get("on_message", ignore),
        on_up=callbacks.get("on_up", ignore),
        on_down=callbacks.get("on_down", ignore),
        access=Access(allow_plain=allow_plain),
    )


@contextmanager
def stranger(serve: Callable[[socket.socket], object]) -> Iterator[str]:
    """Something that listens where a broker should be."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            connection, _ = server.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"mqtt://127.0.0.1:{server.getsockname()[1]}"
        thread.join(DEADLINE_S)


def test_nobody_there() -> None:
    with pytest.raises(LinkError, match=r"no broker answers at mqtt://127.0.0.1:\d+ \(Connection refused\); start one"):
        make(f"mqtt://127.0.0.1:{free_port()}").open(strict=True)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(LinkError, match=r"no broker answers at mqtt://no-such-host\.invalid:1883"):
        make("mqtt://no-such-host.invalid", allow_plain=True).open(strict=True)


def test_one_who_hangs_up() -> None:
    with (
        stranger(lambda connection: connection.recv(1000)) as url,
        pytest.raises(LinkError, match=r"the connection to .* ended"),
    ):
        make(url).open(strict=True)


def test_one_who_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "_CONNECT_S", 0.3)
    gone = threading.Event()
    began = time.monotonic()
    with stranger(lambda _: gone.wait(DEADLINE_S)) as url:
        with pytest.raises(LinkError, match="does not answer; check that it speaks MQTT"):
            make(url).open(strict=True)
        gone.set()
    assert time.monotonic() - began < DEADLINE_S / 2


def test_one_who_refuses_a_subscription() -> None:
    gone = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(CONNACK)
        connection.recv(1000)
        connection.sendall(SUBACK_REFUSED)
        gone.wait(DEADLINE_S)

    with stranger(serve) as url:
        with pytest.raises(
            LinkError, match=r"refuses a subscription \(unspecified error\); check the rights of this user"
        ):
            make(url).open(strict=True)
        gone.set()


def test_one_who_speaks_another_language() -> None:
    with (
        stranger(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as url,
        pytest.raises(LinkError),
    ):
        make(url).open(strict=True)


def test_close_comes_back_from_a_broker_that_no_longer_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "_CLOSE_S", 0.3)
    up, gone = threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.recv(1000)
        connection.sendall(CONNACK)
        connection.recv(1000)
        connection.sendall(SUBACK)
        gone.wait(DEADLINE_S)

    with stranger(serve) as url:
        link = make(url, on_up=up.set)
        link.open()
        assert up.wait(DEADLINE_S)
        for _ in range(200):
            assert link.publish("misheard/v1/dot/part", bytes(100_000), qos=1)
        began = time.monotonic()
        link.close()
        assert time.monotonic() - began < DEADLINE_S / 2
        gone.set()


def test_close_before_open_and_while_nobody_is_there() -> None:
    make(f"mqtt://127.0.0.1:{free_port()}").close()
    down = threading.Event()
    link = make(f"mqtt://127.0.0.1:{free_port()}", on_down=lambda _: down.set())
    link.open()
    assert down.wait(DEADLINE_S)
    assert not link.publish("misheard/v1/dot/event", b"", qos=0)
    link.close()


def test_another_machine_needs_tls() -> None:
    with pytest.raises(AddressError, match="use mqtts"):
        make("mqtt://192.0.2.1")


def test_what_a_callback_raises_is_not_swallowed() -> None:
    met = threading.Event()

    def fail(topic: str, payload: bytes) -> None:
        met.set()
        raise ZeroDivisionError(f"{topic} {payload!r}")

    up = threading.Event()
    with EmbeddedBroker() as broker:
        link = make(broker.url, on_message=fail, on_up=up.set)
        link.open(strict=True)
        assert link.publish("misheard/v1/dot/event", b"boo", qos=0)
        assert met.wait(DEADLINE_S)
        with pytest.raises(LinkError, match="ZeroDivisionError"):
            link.close()


def test_small_packets_are_not_held_back_behind_larger_ones() -> None:
    with EmbeddedBroker() as broker:
        link = make(broker.url)
        link.open(strict=True)
        assert link._connection is not None
        connection = link._connection.socket
        assert isinstance(connection, socket.socket)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        link.close()
