"""The embedded broker: up in no time, on loopback alone, gone without a trace."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import threading
import time
import warnings
from functools import partial

import paho.mqtt.publish as paho_publish
import pytest

from tests.uplink_kit import DEADLINE_S, Diary
from uplink.broker import EmbeddedBroker
from uplink.errors import LinkError
from uplink.link import Link


def port_of(broker: EmbeddedBroker) -> int:
    return int(broker.url.rpartition(":")[2])


def test_it_is_up_within_a_second_and_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    threads = threading.active_count()
    caplog.set_level(logging.INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EmbeddedBroker().__enter__().close()  # the first start pays for the import
        began = time.monotonic()
        with EmbeddedBroker() as broker:
            assert time.monotonic() - began < 1.0
            with socket.create_connection(("127.0.0.1", port_of(broker))):
                pass  # one who says nothing, and leaves
            silent = socket.create_connection(("127.0.0.1", port_of(broker)))
            paho_publish.single("a/b", b"x" * 130_000, qos=1, port=port_of(broker), hostname="127.0.0.1")
        silent.close()
        gc.collect()
    assert threading.active_count() == threads
    assert [record for record in caplog.records if record.name.startswith(("amqtt", "asyncio"))] == []


def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LinkError, match=rf"cannot listen on 127.0.0.1:{port} .*; choose another port"):
            EmbeddedBroker(port).start()


def test_it_listens_on_loopback_alone() -> None:
    with EmbeddedBroker() as broker, socket.socket() as probe:
        assert broker.url.startswith("mqtt://127.0.0.1:")
        with pytest.raises(ConnectionRefusedError):
            probe.connect(("127.0.0.2", port_of(broker)))


def test_a_retained_message_and_one_of_the_largest_size_arrive_and_nothing_else_does() -> None:
    diary = Diary()
    with EmbeddedBroker() as broker:
        paho_publish.single("a/status", b"online", qos=1, retain=True, port=port_of(broker), hostname="127.0.0.1")
        link = Link(
            broker.url,
            "tester",
            topics=["#", "$SYS/#"],
            on_message=lambda topic, payload: diary(topic, {"size": len(payload)}),
            on_up=lambda: diary("up", {}),
            on_down=lambda reason: diary("down", {"reason": reason}),
        )
        link.open(strict=True)
        assert diary.wait("a/status") == {"size": 6}
        assert link.publish("a/part", bytes(128 * 1024 - 1), qos=1)
        assert diary.wait("a/part") == {"size": 128 * 1024 - 1}
        link.close()
    assert {kind for kind, _ in diary.entries} == {"up", "a/status", "a/part"}


def test_it_can_run_beside_another_event_loop() -> None:
    async def inside() -> None:
        with EmbeddedBroker() as broker:
            publish = partial(paho_publish.single, "a/b", port=port_of(broker), hostname="127.0.0.1")
            await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(None, publish), DEADLINE_S)

    asyncio.run(inside())
