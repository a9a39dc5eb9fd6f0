"""The wire's description tells the truth: its examples are what the code writes and reads."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from nacl.signing import VerifyKey

from uplink import envelope, keys, message
from uplink.errors import Reason
from uplink.keyring import Keyring
from uplink.keys import PrivateKey
from uplink.message import JSON, Directive, Part, Receipt
from uplink.seal import Seal

TEXT = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()
EXAMPLES = dict(re.findall(r"```(\w+)\n(.+?)\n```", TEXT, re.DOTALL))
CLIP = "dot-20260101t000000000000z-000000156800"
SERIAL = 1_767_225_616_280_000_000
FAR_END_RING = PrivateKey("far-end", bytes([2] * 32))
DEVICE_RING = PrivateKey("dot", bytes([1] * 32))


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> tuple[Seal, Seal]:
    """The device and the far end whose keys the description names."""
    folder = tmp_path_factory.mktemp("keys")
    rings = Keyring.of_device(folder, "dot"), Keyring.of_far_end(folder / "cloud")
    for ring, key in zip(rings, (DEVICE_RING, FAR_END_RING), strict=True):
        key.save(ring.folder / f"{ring.side}.key")
    rings[0].trust(FAR_END_RING.public)
    rings[1].trust(DEVICE_RING.public)
    return Seal(rings[0]), Seal(rings[1])


def example(kind: str) -> bytes:
    """Give the payload of an example: its header, a newline, and its body."""
    header, body = str(EXAMPLES[kind]).split("\n", 1)
    return header.encode() + b"\n" + base64.b64decode(body)


def test_the_keys_of_the_examples_are_described() -> None:
    for key in (DEVICE_RING, FAR_END_RING):
        assert f"| {key.seed.hex()[:4]}...{key.seed.hex()[-4:]} | `{key.fingerprint}` |" in TEXT


def test_the_example_of_a_part(ends: tuple[Seal, Seal]) -> None:
    part = Part("dot", CLIP, 7, True, 260_480, 260_480, {"reason": "silence"}, b"")
    assert_example("part", message.encode_part(part, ends[0]), lambda p: message.decode_part("dot", p, ends[1]), part)


def test_the_example_of_a_receipt(ends: tuple[Seal, Seal]) -> None:
    receipt = Receipt("dot", CLIP, 7, message.digest_of(example("part")), True)
    payload = message.encode_receipts([receipt], ends[1])
    assert_example("receipt", payload, lambda p: message.decode_receipts("dot", p, ends[0]), [receipt])


def test_the_example_of_a_directive(ends: tuple[Seal, Seal]) -> None:
    payload = message.encode_directive("dot", Directive("TurnEnd", CLIP), SERIAL, ends[1])
    order = message.Order(Directive("TurnEnd", CLIP), SERIAL, FAR_END_RING.fingerprint)
    assert_example("directive", payload, lambda p: message.decode_directive("dot", p, ends[0]), order)


def test_the_example_of_an_event(ends: tuple[Seal, Seal]) -> None:
    event: dict[str, JSON] = {"kind": "wake", "sample": 164_480, "score": 0.93}
    payload = message.encode_event("dot", event, ends[0])
    assert_example("event", payload, lambda p: message.decode_event("dot", p, ends[1]), event)


def test_the_example_of_a_status(ends: tuple[Seal, Seal]) -> None:
    status: dict[str, JSON] = {"state": "online", "muted": False, "version": "0.1.0"}
    payload = message.encode_status("dot", status, ends[0])
    assert payload == example("status"), "an Ed25519 signature has no chance in it"
    assert_example("status", payload, lambda p: message.decode_status("dot", p, ends[1]), status)


def assert_example(kind: str, written: bytes, read: Callable[[bytes], object], meant: object) -> None:
    """Check that an example says what is meant, and has the form in which the code writes it."""
    shown = example(kind)
    assert read(shown) == meant
    assert shown.partition(b"\n")[0] == written.partition(b"\n")[0]
    assert len(shown) == len(written)


def test_the_signed_bytes_are_those_described() -> None:
    """Verify an example with another library's words alone, as another receiver would."""
    header, _, body = example("event").partition(b"\n")
    box = FAR_END_RING.open(body)
    assert box is not None
    signed = b"misheard/v1/event\x00" + header + b"\x00" + FAR_END_RING.public.raw + box[64:]
    VerifyKey(DEVICE_RING.public.raw).verify(signed, box[:64])
    assert box[64:].rstrip(b"\x00") == b'{"kind":"wake","sample":164480,"score":0.93}\x80'
    header, _, signature = example("status").partition(b"\n")
    VerifyKey(DEVICE_RING.public.raw).verify(b"misheard/v1/status\x00" + header + b"\x00", signature)


def test_what_an_operator_sees_is_what_the_code_sends(ends: tuple[Seal, Seal]) -> None:
    device, far_end = ends
    first = Part("dot", CLIP, 0, False, 156_800, 172_800, {"initiator": "wakeword", "model": "alexa"}, b"f" * 20_921)
    facts = {"reason": "silence"}
    parts = [
        first,
        replace(first, number=1, begin=172_800, end=188_800, facts={}, audio=b"f" * 19_377),
        replace(first, number=2, begin=188_800, end=194_560, last=True, facts=facts, audio=b"f" * 7_204),
    ]
    traffic = [
        ("status", message.encode_status("dot", {"state": "online", "muted": False, "version": "0.1.0"}, device)),
        ("event", message.encode_event("dot", {"kind": "wake", "sample": 164_480, "score": 0.93}, device)),
    ]
    for part in parts:
        payload = message.encode_part(part, device)
        receipt = Receipt("dot", CLIP, part.number, message.digest_of(payload), part.last)
        traffic += [("part", payload), ("receipt", message.encode_receipts([receipt], far_end))]
    traffic += [("directive", message.encode_directive("dot", Directive("TurnEnd", CLIP), SERIAL, far_end))]
    shown = EXAMPLES["operator"].splitlines()
    assert shown == [line for kind, payload in traffic for line in seen(kind, payload)]


def seen(kind: str, payload: bytes) -> list[str]:
    """Show a message as its broker's operator sees it."""
    header, _, body = payload.partition(b"\n")
    what = "of signature" if kind == "status" else "that look like chance"
    return [f"misheard/v1/dot/{kind}", f"    {header.decode()}", f"    {len(body):,} bytes {what}"]


def test_every_directive_limit_and_reason_is_described() -> None:
    for name in message.DIRECTIVES:
        assert f"| `{name}` |" in TEXT
    for limit in (
        message.MAX_MESSAGE_BYTES,
        message.MAX_PART_SAMPLES,
        message.MAX_PARTS - 1,
        envelope.MAX_HEADER_BYTES,
        envelope.PADDING_BYTES,
        keys.BOX_BYTES + keys.SIGNATURE_BYTES,
    ):
        assert f"{limit:,}" in TEXT
    for reason in get_args(Reason):
        assert f"| {reason} |" in TEXT
