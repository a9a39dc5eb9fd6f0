"""MQTT 5 with a real Mosquitto, and what becomes of it where a broker speaks 3.1.1 alone."""

from __future__ import annotations

import dataclasses
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from tests.broker_kit import client
from tests.uplink_kit import DEADLINE_S, Counter, Diary, cut, free_port, known, mosquitto, noise
from uplink import link as link_module
from uplink.address import Access
from uplink.broker import EmbeddedBroker
from uplink.link import Link, Will
from uplink.profiles import PROFILES
from uplink.sender import Sender
from uplink.spool import Spool

MQTT5 = Access(limits=PROFILES["mosquitto"])
MQTT311 = Access(limits=PROFILES["embedded"])


@pytest.fixture
def url(tmp_path: Path, needs: Callable[[str], str]) -> Iterator[str]:
    lines = ["allow_anonymous true", "max_packet_size 140000", "max_inflight_messages 3"]
    with mosquitto(needs("mosquitto"), tmp_path, free_port(), lines) as where:
        yield where


@dataclass
class Onlooker:
    """A client of its own that sees the properties of messages."""

    seen: queue.SimpleQueue[mqtt.MQTTMessage] = field(default_factory=queue.SimpleQueue)

    def next(self) -> mqtt.MQTTMessage:
        return self.seen.get(timeout=DEADLINE_S)


@contextmanager
def onlooker(url: str, topic: str) -> Iterator[Onlooker]:
    looks, ready = Onlooker(), queue.SimpleQueue[int]()
    paho = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    paho.on_message = lambda _paho, _data, message: looks.seen.put(message)
    paho.on_subscribe = lambda *_: ready.put(1)
    paho.connect("127.0.0.1", int(url.rpartition(":")[2]))
    paho.loop_start()
    paho.subscribe(topic, options=SubscribeOptions(qos=1))
    ready.get(timeout=DEADLINE_S)
    yield looks
    paho.disconnect()
    paho.loop_stop()


def up(url: str, name: str, *topics: str, access: Access = MQTT5, diary: Diary | None = None) -> Link:
    link = client(url, name, access, *topics, diary=diary)
    link.open(strict=True)
    return link


def test_messages_say_what_they_are_and_when_they_are_stale(url: str) -> None:
    with onlooker(url, "a/#") as looks:
        link = up(url, "dot")
        assert link.version == "5"
        link.publish("a/b", b"fresh", qos=1, expiry_s=30)
        link.publish("a/b", b"lasting", qos=1)
        fresh, lasting = looks.next(), looks.next()
        link.close()
    assert (fresh.payload, lasting.payload) == (b"fresh", b"lasting")
    for message in (fresh, lasting):
        assert message.properties is not None
        assert message.properties.ContentType == "application/vnd.misheard"  # type: ignore[attr-defined]
        assert message.properties.UserProperty == [("misheard", "1")]  # type: ignore[attr-defined]
    assert 29 <= fresh.properties.MessageExpiryInterval <= 30  # type: ignore[union-attr]
    assert not hasattr(lasting.properties, "MessageExpiryInterval")


def test_the_last_will_says_what_it_is_too(url: str) -> None:
    with onlooker(url, "a/#") as looks:
        link = client(url, "dot", MQTT5, will=Will("a/status", b"offline"))
        link.open(strict=True)
        assert link._connection is not None
        link._connection.abandon()
        message = looks.next()
        link.close()
    assert message.payload == b"offline"
    assert message.properties is not None
    assert message.properties.ContentType == "application/vnd.misheard"  # type: ignore[attr-defined]


@pytest.mark.parametrize("session_s", [0, 60])
def test_a_session_outlives_the_connection_where_that_is_asked_for(url: str, session_s: int) -> None:
    def device(diary: Diary) -> Link:
        return Link(
            url,
            "dot",
            topics=["a/directive"],
            on_message=lambda topic, payload: diary(topic, {"payload": payload.decode()}),
            on_up=lambda: diary("up", {}),
            on_down=lambda _: None,
            access=MQTT5,
            session_s=session_s,
        )

    first = device(Diary())
    first.open(strict=True)
    first.close()
    witness, diary = Diary(), Diary()
    far_end = up(url, "far-end", "a/directive", diary=witness)
    far_end.publish("a/directive", b"missed", qos=1)
    assert witness.wait("a/directive") == {"payload": "missed"}, "or it might come when the second is there"
    second = device(diary)
    second.open(strict=True)
    far_end.publish("a/directive", b"live", qos=1)
    while diary.wait("a/directive") != {"payload": "live"}:
        pass
    heard = [facts["payload"] for facts in diary.all("a/directive")]
    assert heard == (["missed", "live"] if session_s else ["live"])
    second.close()
    far_end.close()


def test_that_nobody_listens_is_told_once_until_somebody_does(url: str) -> None:
    diary = Diary()
    link = up(url, "dot", "mark", diary=diary)

    def tell(times: int) -> int:
        for _ in range(times):
            link.publish("a/part", b"x", qos=1)
        link.publish("mark", b"", qos=1)
        diary.wait("mark")
        return len(diary.all("unheard"))

    assert tell(3) == 1
    assert diary.all("unheard") == [{"topic": "a/part"}]
    far_end = up(url, "far-end", "a/part")
    assert tell(3) == 1
    far_end.close()
    assert tell(3) == 2
    link.close()


def test_without_mqtt_5_nothing_is_said_about_it(url: str) -> None:
    diary = Diary()
    link = up(url, "dot", "mark", access=MQTT311, diary=diary)
    assert link.version == "3.1.1"
    link.publish("a/part", b"x", qos=1, expiry_s=5)
    link.publish("mark", b"", qos=1)
    diary.wait("mark")
    assert diary.all("unheard") == []
    link.close()


def test_a_packet_that_is_too_large_is_told_and_costs_nothing_else(url: str) -> None:
    diary = Diary()
    link = up(url, "dot", "a/part", diary=diary)
    assert link.limits.packet_bytes == 140_000
    assert link.publish("a/part", bytes(140_000), qos=1)
    assert diary.wait("rejected") == {
        "topic": "a/part",
        "reason": "packet too large: 140134 bytes, and the broker takes packets of 140000",
    }
    link.publish("a/part", bytes(131_071), qos=1)
    assert len(diary.wait("a/part", "down")["payload"]) == 131_071
    link.close()


def test_without_mqtt_5_the_broker_ends_the_connection_over_it(url: str) -> None:
    diary = Diary()
    link = up(url, "dot", access=MQTT311, diary=diary)
    link.publish("a/part", bytes(140_000), qos=1)
    assert "ended" in diary.wait("down")["reason"]
    link.close()


def test_no_more_is_on_its_way_than_the_broker_takes(url: str) -> None:
    diary = Diary()
    link = up(url, "dot", "a/part", diary=diary)
    assert link.limits.in_flight == 3
    for number in range(200):
        assert link.publish("a/part", f"{number}".encode() * 2000, qos=1)
    heard = [diary.wait("a/part", "down")["payload"] for _ in range(200)]
    assert heard == [f"{number}" * 2000 for number in range(200)]
    link.close()


def test_a_broker_that_speaks_no_mqtt_5_is_spoken_to_in_3_1_1_and_that_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "_CONNECT_S", 0.5)  # amqtt waits for more where 5 has properties
    diary = Diary()
    with EmbeddedBroker() as broker:
        link = up(broker.url, "dot", "a/part", diary=diary)
        assert link.version == "3.1.1"
        assert link._connection is not None
        link._connection.abandon()
        diary.wait("down")
        diary.wait("up")
        assert link.version == "3.1.1"
        assert link.publish("a/part", b"same", qos=1)
        assert diary.wait("a/part") == {"payload": "same"}
        link.close()
    assert [kind for kind, _ in diary.entries] == ["up", "down", "up", "a/part"]


def test_the_sender_keeps_the_rate_of_a_profile_by_itself(tmp_path: Path) -> None:
    parts = cut(noise(150 * 80), 80)
    times = []

    def note(kind: str, _facts: object) -> None:
        if kind == "part_sent":
            times.append(time.monotonic())

    with ExitStack() as stack:
        broker = stack.enter_context(EmbeddedBroker())
        store = ClipStore(tmp_path / "cloud")
        stack.callback(store.close)
        far_end = FarEnd(Cloud(store, Counter()), broker.url, known().far_end, on_event=Diary())
        stack.callback(far_end.close)
        far_end.start(strict=True)
        spool = Spool(tmp_path / "spool.sqlite")
        stack.callback(spool.close)
        limits = dataclasses.replace(PROFILES["aws-iot-core"], mqtt5=False)
        sender = Sender(
            "dot",
            spool,
            broker.url,
            seal=known().device,
            on_directive=lambda _: None,
            on_fact=note,
            in_flight=100,
            access=Access(limits=limits),
        )
        stack.callback(sender.close)
        sender.start(strict=True)
        for part in parts:
            sender.submit(part)
        assert sender.drain(DEADLINE_S)
    assert len(times) >= len(parts)
    assert all(late - early > 0.99 for early, late in zip(times, times[100:], strict=False))
