"""What the helper process makes of PortAudio: which microphone, how it opens, and every callback passed on."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from device.capturing import CARDS, FOUND, GONE, PIECE, capture
from device.child import Message, read
from device.errors import DeviceError
from device.intake import Piece
from device.portaudio import PortAudio

ASKED = {"name": None, "channel": 0, "rates": [16_000, 48_000, 44_100], "block_ms": 20, "room_s": 8}


class PortAudioError(Exception):
    """As sounddevice raises it: text and code."""


@dataclass
class Times:
    inputBufferAdcTime: float  # noqa: N815 - PortAudio's name


@dataclass
class Status:
    input_overflow: bool


class FakeSoundDevice:
    """A card that opens only at `rate` with `channels` in `form`; the test runs the callbacks."""

    PortAudioError = PortAudioError
    CallbackStop = StopIteration

    def __init__(
        self, rate: int, channels: int, form: str = "int16", refusal: tuple[str, int] = ("Invalid sample rate", -9997)
    ) -> None:
        self.way, self.refusal = (rate, channels, form), refusal
        self.default = type("Default", (), {"device": (-1, -1)})()
        self.callback: Callable[..., None] = lambda *_: None
        self.finished: Callable[[], None] = lambda: None
        self.started = threading.Event()

    def query_devices(self) -> list[dict[str, Any]]:
        facts = {"max_output_channels": 0, "default_samplerate": 44_100.0}
        return [{"name": "USB Mic", "index": 0, "max_input_channels": max(2, self.way[1]), **facts}]

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [
            {"default_input_device": -1, "default_output_device": -1},
            {"default_input_device": 0, "default_output_device": -1},
        ]

    def check_input_settings(self, device: int, channels: int, samplerate: int, dtype: str) -> None:
        assert device == 0
        if (samplerate, channels, dtype) != self.way:
            raise PortAudioError(*self.refusal)

    def RawInputStream(self, **settings: Any) -> FakeSoundDevice:  # noqa: N802 - sounddevice's name
        self.check_input_settings(settings["device"], settings["channels"], settings["samplerate"], settings["dtype"])
        self.callback, self.finished = settings["callback"], settings["finished_callback"]
        return self

    def start(self) -> None:
        self.started.set()


def messages(told: io.BytesIO) -> list[Message]:
    told.seek(0)
    found = []
    while (message := read(told)) is not None:
        found.append(message)
    return found


@pytest.mark.parametrize(
    ("rate", "channels", "form"), [(48_000, 2, "int16"), (44_100, 1, "int24"), (16_000, 2, "float32")]
)
def test_every_callback_of_a_card_is_passed_on_as_it_opens(rate: int, channels: int, form: str) -> None:
    fake, told = FakeSoundDevice(rate, channels, form), io.BytesIO()
    thread = threading.Thread(target=capture, args=(ASKED, told, PortAudio(fake)))
    thread.start()
    assert fake.started.wait(10)
    for number in range(3):
        fake.callback(memoryview(bytes([number] * 8)), 2, Times(7.5), Status(number == 1))
    fake.finished()
    thread.join(10)
    found, *pieces, gone = messages(told)
    assert found.kind == FOUND
    assert json.loads(found.body)["card"]["name"] == "USB Mic"
    assert json.loads(found.body)["opening"] == {"rate": rate, "channels": channels, "form": form}
    assert [message.kind for message in pieces] == [PIECE] * 3
    heard = [Piece.unpack(message.body) for message in pieces]
    assert [(piece.data, piece.frames, piece.adc_s, piece.overflow) for piece in heard] == [
        (bytes([number] * 8), 2, 7.5, number == 1) for number in range(3)
    ]
    assert heard[0].arrival_s <= heard[2].arrival_s
    assert gone.kind == GONE


def test_a_look_opens_nothing_and_a_list_is_of_all_cards() -> None:
    fake, told = FakeSoundDevice(48_000, 2), io.BytesIO()
    capture({**ASKED, "look": True}, told, PortAudio(fake))
    capture({"list": True}, told, PortAudio(fake))
    found, listed = messages(told)
    assert (found.kind, listed.kind) == (FOUND, CARDS)
    assert not fake.started.is_set()
    assert [card["name"] for card in json.loads(listed.body)["cards"]] == ["USB Mic"]
    assert json.loads(listed.body)["default"] == {"microphone": 0, "loudspeaker": -1}


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (("Device unavailable", -9985), "in use by another program"),
        (("Invalid sample rate", -9997), r"cannot be opened \(Invalid sample rate\)"),
    ],
)
def test_a_card_that_cannot_be_opened_is_one_sentence(refusal: tuple[str, int], sentence: str) -> None:
    with pytest.raises(DeviceError, match=sentence) as caught:
        capture(ASKED, io.BytesIO(), PortAudio(FakeSoundDevice(1, 1, "int16", refusal)))
    assert "--source FILE" in str(caught.value)
    assert "\n" not in str(caught.value)
