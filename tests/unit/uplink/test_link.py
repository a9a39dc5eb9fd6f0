"""A link against brokers that are none: each failure is one sentence, at once, and close always comes back."""

from __future__ import annotations

import queue
import random
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from tests.scripted_broker import DISCONNECT, Guest, scripted_broker
from tests.uplink_kit import DEADLINE_S, Diary, free_port
from uplink import link as link_module
from uplink.address import Access
from uplink.broker import EmbeddedBroker
from uplink.errors import AddressError, LinkError
from uplink.link import Link, backoff_s
from uplink.profiles import PROFILES, Limits

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


def test_another_machine_wants_to_know_who_this_is() -> None:
    with pytest.raises(
        AddressError, match="needs a certificate; name its files as certificate_file and key_file"
    ) as caught:
        make("mqtts://broker.example")
    assert caught.value.exit_code == 2


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


def speaks5(
    url: str, diary: Diary, *, limits: Limits = PROFILES["mosquitto"], clock: Callable[[], float] | None = None
) -> Link:
    return Link(
        url,
        "tester",
        topics=["misheard/v1/+/event"],
        on_message=lambda topic, payload: diary(topic, {"payload": payload.decode()}),
        on_up=lambda: diary("up", {}),
        on_down=lambda reason: diary("down", {"reason": reason}),
        on_notice=diary,
        access=Access(limits=limits),
        clock=clock or time.monotonic,
        generator=random.Random(1),
    )


def wait_for_goodbye(guest: Guest) -> None:
    guest.expect(DISCONNECT)


def test_the_version_that_was_refused_is_not_tried_again() -> None:
    versions = []

    def refuse(guest: Guest) -> None:
        versions.append(guest.version())
        guest.say(0x20, 2, 0, 1)

    def take(guest: Guest) -> None:
        versions.append(guest.version())
        guest.say(*CONNACK)
        guest.say(0x90, 3, *guest.expect(0x80)[:2], 1)

    diary = Diary()
    with scripted_broker(refuse, take, take) as url:
        link = speaks5(url, diary)
        link.open()
        assert [diary.wait("up", "down").get("reason", "up") for _ in range(3)] == [
            "up",
            f"the connection to {url} ended (lost)",
            "up",
        ]
        link.close()
    assert versions == [5, 4, 4]


def test_one_who_hangs_up_on_5_is_tried_in_3_1_1_and_then_in_5_again() -> None:
    versions = queue.SimpleQueue[int]()

    def hang_up(guest: Guest) -> None:
        versions.put(guest.version())

    with scripted_broker(*[hang_up] * 4) as url:
        diary = Diary()
        link = speaks5(url, diary)
        link.open()
        assert "before a word was said; where the broker wants TLS, write mqtts://" in diary.wait("down")["reason"]
        assert [versions.get(timeout=DEADLINE_S) for _ in range(4)] == [5, 4, 5, 4]
        link.close()


def test_one_that_has_spoken_5_is_not_spoken_to_in_less() -> None:
    versions = []

    def leave(guest: Guest) -> None:
        versions.append(guest.version())
        guest.accept()
        guest.grant()

    def hang_up(guest: Guest) -> None:
        versions.append(guest.version())

    with scripted_broker(leave, hang_up, leave) as url:
        diary = Diary()
        link = speaks5(url, diary)
        link.open()
        diary.wait("up")
        diary.wait("up")
        link.close()
    assert versions == [5, 5, 5]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (0x8E, "(session taken over); another client has come under the same name; give each device its own"),
        (0x8B, "(server shutting down); it is asked again by and by"),
        (0x97, "(quota exceeded); raise the broker's quota for this client, or send less"),
        (0x95, "(packet too large); raise the broker's largest packet above 132,000 bytes"),
        (0x82, "(protocol error); its log says more"),
    ],
)
def test_what_a_broker_says_as_it_hangs_up_is_told_with_the_mend(code: int, told: str) -> None:
    def throw_out(guest: Guest) -> None:
        guest.version()
        guest.accept()
        guest.grant()
        guest.say(0xE0, 2, code, 0)

    with scripted_broker(throw_out) as url:
        diary = Diary()
        link = speaks5(url, diary)
        link.open()
        assert diary.wait("down")["reason"] == f"the connection to {url} ended {told}"
        link.close()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            0x87,
            "(not authorized); check user name and password, or what the access rules grant this certificate's name",
        ),
        (0x8A, "(banned); its operator has shut this client out; ask there"),
        (0x85, "(client identifier not valid); give the device another name"),
        (0x89, "(server busy); it is asked again by and by"),
    ],
)
def test_a_refusal_is_told_with_the_mend(code: int, told: str) -> None:
    def refuse(guest: Guest) -> None:
        guest.version()
        guest.say(0x20, 3, 0, code, 0)

    with scripted_broker(refuse) as url, pytest.raises(LinkError) as caught:
        speaks5(url, Diary()).open(strict=True)
    assert str(caught.value) == f"the broker at {url} refuses {told}"


def test_what_becomes_of_messages_is_told_when_it_changes() -> None:
    codes = [0x97, 0x97, 0x00, 0x97, 0x10, 0x99]

    def judge(guest: Guest) -> None:
        guest.version()
        guest.accept()
        guest.grant()
        for code in codes:
            guest.acknowledge(guest.published(), code)
        wait_for_goodbye(guest)

    with scripted_broker(judge) as url:
        diary = Diary()
        link = speaks5(url, diary)
        link.open(strict=True)
        for _ in codes:
            assert link.publish("misheard/v1/dot/part", b"x", qos=1)
        quota = "(quota exceeded); raise the broker's quota for this client, or send less"
        form = "(payload format invalid); the broker checks what it carries; let it carry any bytes under misheard/"
        told = [diary.wait("rejected", "unheard").get("reason") for _ in range(4)]
        assert told == [quota, quota, None, form]
        link.close()


def test_no_more_is_on_its_way_than_the_broker_has_said_it_takes() -> None:
    done = threading.Event()

    def narrow(guest: Guest) -> None:
        guest.version()
        guest.accept(0x21, 0, 2)  # receive maximum
        guest.grant()
        first, second = guest.published(), guest.published()
        assert guest.is_silent(0.2)
        guest.acknowledge(second)
        third = guest.published()
        assert guest.is_silent(0.2)
        for mid in (first, third):
            guest.acknowledge(mid)
        for _ in range(2):
            guest.acknowledge(guest.published())
        done.set()
        wait_for_goodbye(guest)

    with scripted_broker(narrow) as url:
        link = speaks5(url, Diary())
        link.open(strict=True)
        assert link.limits.in_flight == 2
        for _ in range(5):
            assert link.publish("misheard/v1/dot/part", b"x", qos=1)
        assert done.wait(DEADLINE_S)
        link.close()


def test_a_message_beyond_the_limits_is_told_and_not_sent() -> None:
    with EmbeddedBroker() as broker:
        diary = Diary()
        link = speaks5(broker.url, diary, limits=Limits(payload_bytes=10, topic_slashes=3, mqtt5=False))
        link.open(strict=True)
        assert link.publish("misheard/v1/dot/event", bytes(11), qos=1)
        assert "packet too large: 11 bytes" in diary.wait("rejected")["reason"]
        assert link.publish("misheard/v1/dot/event/more", b"", qos=0)
        assert diary.wait("rejected")["reason"] == "topic too deep: 4 slashes, and the broker takes 3"
        assert link.publish("misheard/v1/dot/event", b"small", qos=1)
        assert diary.wait("misheard/v1/dot/event") == {"payload": "small"}
        link.close()


def test_the_rate_of_the_profile_is_kept_on_the_clock_that_was_handed_in() -> None:
    now = [1000.0]
    with EmbeddedBroker() as broker:
        link = speaks5(broker.url, Diary(), limits=Limits(publishes_per_s=20, mqtt5=False), clock=lambda: now[0])
        link.open(strict=True)
        sent = 0
        while link.wait_s() == 0:
            assert link.publish("misheard/v1/dot/event", b"x", qos=0)
            sent += 1
        assert sent == 2
        now[0] += link.wait_s()
        assert link.wait_s() == 0
        link.close()


def test_the_waits_double_up_to_half_a_minute_and_are_those_of_the_generator() -> None:
    waits = [backoff_s(attempt, random.Random(attempt)) for attempt in range(40)]
    assert waits == [backoff_s(attempt, random.Random(attempt)) for attempt in range(40)]
    for attempt, wait in enumerate(waits):
        longest = min(0.2 * 2**attempt, 30)
        assert longest / 2 <= wait <= longest
    assert len({backoff_s(20, random.Random(seed)) for seed in range(50)}) == 50


def test_the_waits_come_from_the_generator_that_was_handed_in() -> None:
    asked = threading.Event()

    class Asked(random.Random):
        def uniform(self, a: float, b: float) -> float:
            asked.set()
            return super().uniform(a, b)

    link = Link(
        f"mqtt://127.0.0.1:{free_port()}",
        "tester",
        topics=[],
        on_message=lambda *_: None,
        on_up=lambda: None,
        on_down=lambda _: None,
        generator=Asked(1),
    )
    link.open()
    assert asked.wait(DEADLINE_S)
    link.close()


def test_a_reason_that_changes_is_told_again() -> None:
    def refuse(guest: Guest) -> None:
        guest.version()
        guest.say(0x20, 3, 0, 0x89, 0)

    def ban(guest: Guest) -> None:
        guest.version()
        guest.say(0x20, 3, 0, 0x8A, 0)

    with scripted_broker(refuse, refuse, ban) as url:
        diary = Diary()
        link = speaks5(url, diary)
        link.open()
        assert "busy" in diary.wait("down")["reason"]
        assert "banned" in diary.wait("down")["reason"]
        link.close()


def test_one_that_accepts_and_throws_out_at_once_is_left_alone_for_longer_each_time() -> None:
    times = []

    def throw_out(guest: Guest) -> None:
        times.append(time.monotonic())
        guest.version()
        guest.accept()
        guest.grant()

    with scripted_broker(*[throw_out] * 5) as url:
        diary = Diary()
        link = speaks5(url, diary)
        link.open()
        for _ in range(5):
            diary.wait("down")
        link.close()
    pauses = [late - early for early, late in pairwise(times)]
    assert all(pause > 0.1 * 2**attempt for attempt, pause in enumerate(pauses))


def test_there_may_be_more_open_files_than_select_takes() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048:
        pytest.skip("this system allows fewer than 2,048 open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    held = [socket.socket() for _ in range(1100)]
    try:
        with EmbeddedBroker() as broker:
            diary = Diary()
            link = speaks5(broker.url, diary, limits=PROFILES["embedded"])
            link.open(strict=True)
            link.publish("misheard/v1/dot/event", b"heard", qos=1)
            assert diary.wait("misheard/v1/dot/event", "down") == {"payload": "heard"}
            link.close()
    finally:
        for each in held:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
