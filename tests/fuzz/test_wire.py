"""Whatever comes from a broker: spoilt on the way, or written by somebody who has the keys."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from sim.cloud.service import _sound_of
from sim.errors import Refused
from tests.fuzz.conftest import Hunt, one_sentence
from tests.fuzz.mutation import spoil, spoil_json, written
from tests.uplink_kit import cut, known, noise
from uplink import inventory, message
from uplink.address import Address
from uplink.envelope import pack, pack_clear
from uplink.errors import AddressError, MessageError
from uplink.message import Directive, Part, Receipt
from uplink.seal import Seal

DEVICE, FAR_END = known().device, known().far_end
PART = cut(noise(1_600), 800)[0]
MARKS = {PART.clip: {0: "0" * 16, 7: "f" * 16}}
RECEIPTS = [Receipt("dot", PART.clip, number, PART.digest, number == 2) for number in range(3)]

Decode = Callable[[str, bytes, Seal], object]
WIRE: dict[str, tuple[bytes, Decode, Seal]] = {
    "part": (message.encode_part(PART, DEVICE), message.decode_part, FAR_END),
    "event": (message.encode_event("dot", {"kind": "wake", "score": 0.9}, DEVICE), message.decode_event, FAR_END),
    "status": (message.encode_status("dot", {"state": "online"}, DEVICE), message.decode_status, FAR_END),
    "inquiry": (
        inventory.encode_inquiry(inventory.Inquiry("dot", 5, MARKS), DEVICE),
        inventory.decode_inquiry,
        FAR_END,
    ),
    "receipt": (message.encode_receipts(RECEIPTS, FAR_END), message.decode_receipts, DEVICE),
    "directive": (
        message.encode_directive("dot", Directive("Speak", PART.clip, {"text": "so"}), 7, FAR_END),
        message.decode_directive,
        DEVICE,
    ),
    "inventory": (
        inventory.encode_inventory(inventory.Inventory("dot", 5, MARKS, frozenset({PART.clip})), FAR_END),
        inventory.decode_inventory,
        DEVICE,
    ),
}
PAYLOADS = [payload for payload, _, _ in WIRE.values()]
FLACS = [part.audio for part in cut(noise(4_000), 800)]


@pytest.mark.parametrize("kind", WIRE)
def test_a_message(hunt: Hunt[bytes], kind: message.Kind) -> None:
    payload, decode, seal = WIRE[kind]
    header = json.loads(payload.partition(b"\n")[0])
    sender = DEVICE if seal is FAR_END else FAR_END
    fields = {name: value for name, value in header.items() if name not in ("v", "seal", "key", "device")}
    content = (
        b"" if kind == "status" else seal.open(kind, "dot", header["key"], *_split(payload)).content.rstrip(b"\0")[:-1]
    )

    def make(chance: random.Random) -> bytes:
        if chance.random() < 0.5:
            return spoil(chance, payload, PAYLOADS)
        try:
            return _of_one_with_keys(chance, kind, fields, content, sender)
        except MessageError:  # larger than the wire allows
            return spoil(chance, payload, PAYLOADS)

    def read(came: bytes) -> str:
        try:
            decode("dot", came, seal)
        except MessageError as error:
            one_sentence(error)
            return error.reason
        return "read"

    assert read(payload) == "read"
    hunt(f"message: {kind}", make, read)


def _split(payload: bytes) -> tuple[bytes, bytes]:
    header, _, body = payload.partition(b"\n")
    return header, body


def _of_one_with_keys(chance: random.Random, kind: str, fields: dict[str, Any], content: bytes, seal: Seal) -> bytes:
    if chance.random() < 0.3:
        fields = spoil_json(chance, fields)
        fields = fields if isinstance(fields, dict) else {}
    if kind == "status":
        return pack_clear(kind, "dot", fields, seal)
    head, newline, rest = content.partition(b"\n")
    if chance.random() < 0.6:
        content = written(spoil_json(chance, json.loads(head))) + newline + rest
    else:
        content = spoil(chance, content)
    return pack(kind, "dot", fields, content, seal)


def test_a_topic(hunt: Hunt[str]) -> None:
    names = [message.topic("dot", "part"), message.topic("dot-kitchen", "directive")]

    def make(chance: random.Random) -> str:
        return spoil(chance, chance.choice(names).encode()).decode(errors="surrogateescape")

    def read(name: str) -> str:
        try:
            message.parse_topic(name)
        except MessageError as error:
            one_sentence(error)
            return error.reason
        return "read"

    hunt("topic", make, read)


def test_the_sound_of_a_part(hunt: Hunt[bytes]) -> None:
    def read(audio: bytes) -> str:
        outcome = _sound_of(Part("dot", PART.clip, 0, False, 0, 800, {}, audio or b"-"))
        if isinstance(outcome, Refused):
            one_sentence(outcome)
            return outcome.reason
        assert len(outcome) == 800
        return "read"

    hunt("FLAC of a part", lambda chance: spoil(chance, chance.choice(FLACS), FLACS), read)


def test_the_address_of_a_broker(hunt: Hunt[str]) -> None:
    addresses = [b"mqtt://127.0.0.1:1883", b"mqtts://dot:secret@broker.example:8883", b"mqtts://[::1]:1"]

    def read(url: str) -> str:
        try:
            Address.parse(url)
        except AddressError as error:
            one_sentence(error)
            return "refused"
        return "read"

    hunt("address of a broker", lambda chance: spoil(chance, chance.choice(addresses)).decode("latin-1"), read)
