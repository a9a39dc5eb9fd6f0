"""The wake word as a service: the real client of the wyoming library, real sound, and clients that mean harm."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection, NotDetected

from device.config import WakeSettings
from device.errors import DeviceError
from device.home.wyoming_service import MAX_CLIENTS, Service
from tests.firmware_kit import Sound, hear, kinds, kitchen_part, real_firmware
from wakeword.scorer import load_scorers
from wakeword.sound import RATE

DEADLINE_S = 60.0


def served(talk: Callable[[int], Awaitable[None]], **settings: object) -> None:
    """Run the service on a free port, and talk to it."""

    async def both() -> None:
        wake = WakeSettings.model_validate(settings)
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        service = Service(wake, load_scorers(wake.words, wake.engine))
        serving = asyncio.ensure_future(service.serve("127.0.0.1", 0, port.set_result))
        await asyncio.wait_for(talk(await port), DEADLINE_S)
        serving.cancel()

    asyncio.run(both())


async def read(client: AsyncTcpClient) -> Event:
    event = await client.read_event()
    assert event is not None, "the service hung up"
    return event


async def send(client: AsyncTcpClient, sound: Sound, chunk: int = 1024) -> None:
    """A stream as a satellite sends it."""
    await client.write_event(AudioStart(RATE, 2, 1).event())
    for at in range(0, len(sound), chunk):
        piece = sound[at : at + chunk].astype("<i2").tobytes()
        await client.write_event(AudioChunk(RATE, 2, 1, piece, timestamp=at * 1000 // RATE).event())
    await client.write_event(AudioStop().event())


def test_the_real_client_is_told_what_the_device_would_have_woken_on() -> None:
    sound = kitchen_part()
    wakes = [event.sample * 1000 // RATE for event in kinds(hear(real_firmware(), sound), "wake")]
    assert wakes

    async def talk(port: int) -> None:
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Describe().event())
            info = Info.from_event(await read(client))
            (program,) = info.wake
            assert [model.name for model in program.models] == ["alexa"]
            assert "not for commercial use" in str(program.models[0].description)
            await client.write_event(Ping("x").event())
            assert Pong.from_event(await read(client)).text == "x"
            await client.write_event(Detect(names=["alexa"]).event())
            await send(client, sound)
            heard = [Detection.from_event(await read(client)) for _ in wakes]
            assert [(each.name, each.timestamp) for each in heard] == [("alexa", at) for at in wakes]
            await send(client, np.zeros(2 * RATE, np.int16), chunk=777)
            assert NotDetected.is_type((await read(client)).type), "a stream begins anew"

    served(talk)


def test_two_clients_are_answered_each_for_itself() -> None:
    async def talk(port: int) -> None:
        async with AsyncTcpClient("127.0.0.1", port) as one, AsyncTcpClient("127.0.0.1", port) as other:
            await asyncio.gather(send(one, kitchen_part()), send(other, np.zeros(9 * RATE, np.int16)))
            assert Detection.is_type((await read(one)).type)
            assert NotDetected.is_type((await read(other)).type)

    served(talk)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Detect(names=["computer"]).event(), "there is no wake word 'computer' here, but alexa"),
        (Event("detect", {"names": {"a": 1}}), "no list of words"),
        (AudioChunk(44_100, 2, 2, b"\0" * 8).event(), "not 16000 Hz, 16 bit, mono"),
        (Event("audio-chunk", {"rate": "loud"}, b"\0"), "not 16000 Hz, 16 bit, mono"),
    ],
)
def test_what_cannot_be_done_is_said(event: Event, words: str) -> None:
    async def talk(port: int) -> None:
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(event)
            assert words in Error.from_event(await read(client)).text
            assert await client.read_event() is None

    served(talk)


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\r\n",
        b"[]\n",
        b'{"type": 1}\n',
        b"[" * 60_000 + b"\n",
        b"x" * 100_000 + b"\n",
        b'{"type": "audio-chunk", "payload_length": 99999999999}\n',
        b'{"type": "detect", "data_length": -1}\n',
        b'{"type": "detect", "data_length": "many"}\n',
        b'{"type": "detect", "data": [1], "data_length": 2}\n[]',
        b'{"type": "detect", "data": "no"}\n',
    ],
)
def test_a_client_that_means_harm_is_told_so_and_the_next_one_is_served(line: bytes) -> None:
    async def talk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(line)
        await writer.drain()
        answer = json.loads(await reader.readline())
        assert answer["type"] == "error"
        writer.close()
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Describe().event())
            assert Info.is_type((await read(client)).type)

    served(talk)


def test_no_more_than_so_many_at_once() -> None:
    async def talk(port: int) -> None:
        held = [AsyncTcpClient("127.0.0.1", port) for _ in range(MAX_CLIENTS)]
        for client in held:
            await client.connect()
            await client.write_event(Ping().event())
            await read(client)
        async with AsyncTcpClient("127.0.0.1", port) as late:
            assert Error.from_event(await read(late)).code == "busy"
        await held[0].disconnect()
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Ping().event())
            assert (await read(client)).type in ("pong", "error"), "the one that left may not be gone yet"
        for client in held[1:]:
            await client.disconnect()

    served(talk)


def test_an_address_that_is_taken_is_one_sentence() -> None:
    async def talk(port: int) -> None:
        wake = WakeSettings()
        with pytest.raises(DeviceError, match=f"127.0.0.1:{port} cannot be listened on"):
            await Service(wake, load_scorers(wake.words)).serve("127.0.0.1", port)

    served(talk)


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wyoming.event", None)
    with pytest.raises(DeviceError, match=r"pip install 'misheard\[home\]'"):
        Service(WakeSettings(), load_scorers(("alexa",)))
