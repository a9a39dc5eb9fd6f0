"""The wire's messages: what goes in comes out, and nothing else does."""

from __future__ import annotations

import itertools
import json
import os
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.uplink_kit import known
from uplink import message
from uplink.envelope import JSON, PADDING_BYTES, canonical, pack
from uplink.errors import MessageError, Reason
from uplink.keys import BOX_BYTES, SIGNATURE_BYTES
from uplink.message import Directive, Part, Receipt

PART = Part("dot", "dot-1-000000016000", 3, False, 16_000, 32_000, {"score": 0.93, "word": "Alexa"}, b"fLaC\n\x00\xff")
RECEIPT = Receipt("dot", PART.clip, 3, PART.digest, True)
DIRECTIVE = Directive("Speak", PART.clip, {"text": "Für Élise"})

scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    scalars | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=10), json_values, max_size=4)


@st.composite
def parts(draw: st.DrawFn) -> Part:
    begin = draw(st.integers(0, 2**63 - 1 - message.MAX_PART_SAMPLES))
    length = draw(st.integers(0, message.MAX_PART_SAMPLES))
    return Part(
        device="dot",
        clip="dot-" + draw(st.from_regex(r"[a-z0-9-]{1,76}", fullmatch=True)),
        number=draw(st.integers(0, message.MAX_PARTS - 1)),
        last=length == 0 or draw(st.booleans()),
        begin=begin,
        end=begin + length,
        facts=draw(objects),
        audio=draw(st.binary(min_size=1, max_size=200)) if length else b"",
    )


KEYS = known()
DEVICE, FAR_END = KEYS.device, KEYS.far_end
FINGERPRINT = KEYS.far_end_ring.own().fingerprint

DECODERS: list[Callable[[str, bytes], object]] = [
    lambda device, payload: message.decode_part(device, payload, FAR_END),
    lambda device, payload: message.decode_receipts(device, payload, DEVICE),
    lambda device, payload: message.decode_directive(device, payload, DEVICE),
    lambda device, payload: message.decode_event(device, payload, FAR_END),
    lambda device, payload: message.decode_status(device, payload, FAR_END),
]
PAYLOADS = [
    message.encode_part(PART, DEVICE),
    message.encode_receipts([RECEIPT], FAR_END),
    message.encode_directive("dot", DIRECTIVE, 7, FAR_END),
    message.encode_event("dot", {"kind": "wake"}, DEVICE),
    message.encode_status("dot", {"state": "online"}, DEVICE),
]
KINDS = ["part", "receipt", "directive", "event", "status"]
fuzz = settings(max_examples=int(os.environ.get("MISHEARD_FUZZ", "200")) // 5, deadline=None)
"""100,000 in the long run: over the five decoders that is 20,000 each."""


def refused(which: int, payload: bytes) -> MessageError:
    """Give what a decoder has against a payload; fails where it takes it."""
    with pytest.raises(MessageError) as caught:
        DECODERS[which]("dot", payload)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert caught.value.reason in get_args(Reason)
    return caught.value


def read_or_malformed(which: int, payload: bytes) -> None:
    """Let a decoder read, or say in one sentence why not."""
    try:
        DECODERS[which]("dot", payload)
    except MessageError:
        assert refused(which, payload).reason == "malformed"


def resealed(which: int, content: bytes, fields: Mapping[str, JSON] | None = None) -> bytes:
    """Give a message as one that has the keys can make it, with any content."""
    kind, seal = KINDS[which], DEVICE if KINDS[which] in ("part", "event") else FAR_END
    return pack(kind, "dot", fields or {}, content, seal)


@given(parts())
def test_a_part_arrives_as_it_was_sent(part: Part) -> None:
    payload = message.encode_part(part, DEVICE)
    came = message.decode_part("dot", payload, FAR_END)
    assert came == part
    assert came.sealed == message.digest_of(payload) != part.digest


@given(objects, st.sampled_from(message.DIRECTIVES), st.none() | st.just(PART.clip), st.integers(1, 2**63 - 1))
def test_a_directive_arrives_as_it_was_sent(facts: dict[str, JSON], name: str, clip: str | None, serial: int) -> None:
    directive = Directive(name, clip, facts)
    payload = message.encode_directive("dot", directive, serial, FAR_END)
    assert message.decode_directive("dot", payload, DEVICE) == message.Order(directive, serial, FINGERPRINT)


@given(objects)
def test_events_and_status_arrive_as_they_were_sent(facts: dict[str, JSON]) -> None:
    assert message.decode_event("dot", message.encode_event("dot", facts, DEVICE), FAR_END) == facts
    status = {**facts, "state": "offline"}
    assert message.decode_status("dot", message.encode_status("dot", status, DEVICE), FAR_END) == status


def test_a_receipt_arrives_as_it_was_sent() -> None:
    for receipts in ([RECEIPT], [RECEIPT, replace(RECEIPT, number=9), replace(RECEIPT, complete=True)]):
        assert message.decode_receipts("dot", message.encode_receipts(receipts, FAR_END), DEVICE) == receipts


@fuzz
@given(st.sampled_from(range(5)), st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_in_one_sentence(which: int, payload: bytes) -> None:
    refused(which, payload)


@fuzz
@given(st.sampled_from(range(5)), st.data())
def test_a_mutated_message_is_refused_or_was_not_mutated(which: int, data: st.DataObject) -> None:
    payload = PAYLOADS[which]
    begin = data.draw(st.integers(0, len(payload)))
    end = data.draw(st.integers(begin, min(len(payload), begin + 8)))
    mutated = payload[:begin] + data.draw(st.binary(max_size=8)) + payload[end:]
    if mutated != payload:
        refused(which, mutated)


@fuzz
@given(st.sampled_from(range(5)), st.sampled_from(["v", "device", "clip", "number", "begin", "key", "x"]), json_values)
def test_a_header_with_any_other_field_is_refused(which: int, name: str, value: JSON) -> None:
    header, _, body = PAYLOADS[which].partition(b"\n")
    fields = {**json.loads(header), name: value}
    if canonical(fields) != header:
        refused(which, canonical(fields) + b"\n" + body)


@fuzz
@given(st.sampled_from(range(4)), st.binary(max_size=300) | st.builds(canonical, json_values))
def test_any_content_of_one_that_has_the_keys_is_read_or_refused(which: int, content: bytes) -> None:
    read_or_malformed(which, resealed(which, content, json.loads(PAYLOADS[which].partition(b"\n")[0])))


@fuzz
@given(st.sampled_from(range(4)), st.sampled_from(["serial", "number", "digest", "complete", "facts"]), json_values)
def test_content_of_any_other_type_is_read_or_refused(which: int, name: str, value: JSON) -> None:
    content: dict[str, JSON] = {"clip": PART.clip, "number": 3, "digest": RECEIPT.digest, "complete": True}
    content |= {"serial": 7, "name": "Speak", "facts": {}, name: value}
    read_or_malformed(which, resealed(which, canonical(content)))


@pytest.mark.parametrize("which", range(5))
def test_no_bit_of_any_message_can_be_turned(which: int) -> None:
    """Every bit of it, one after the other."""
    payload = PAYLOADS[which]
    for bit in range(8 * len(payload)):
        turned = bytearray(payload)
        turned[bit // 8] ^= 1 << bit % 8
        refused(which, bytes(turned))


@pytest.mark.parametrize("which", range(5))
def test_a_message_is_refused_as_one_of_another_kind_or_device(which: int) -> None:
    for other in range(5):
        if other != which:
            refused(other, PAYLOADS[which])
    with pytest.raises(MessageError, match="came on the topic of 'flex'"):
        DECODERS[which]("flex", PAYLOADS[which])


def test_the_content_of_a_message_cannot_fill_the_memory() -> None:
    deep = b'{"x":' + b"[" * 65_000 + b"]" * 65_000 + b"}"
    wide = b'{"x":[' + b"[]," * 43_000 + b"[]]}"
    for which, content in itertools.product(range(4), (deep[:130_000], wide[:130_000])):
        tracemalloc.start()
        read_or_malformed(which, resealed(which, content))
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
        tracemalloc.stop()


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 512, b"\x80", b"{}\x80" + bytes(510), b"{}\x80" + bytes(1021), b"{}" + bytes(510)]
)
def test_content_that_is_not_filled_up_is_refused(content: bytes) -> None:
    header, receiver = PAYLOADS[3].partition(b"\n")[0], DEVICE.receiver("dot")
    assert "not filled up" in str(refused(3, header + b"\n" + DEVICE.close("event", "dot", header, content, receiver)))


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (b'{"seal":"box1","v":2}', "version 2"),
        (b'{"seal":"box1","v":true}', "version True"),
        (b'{"seal":"box2","v":1}', "sealed with 'box2'"),
        (b'{"seal":"none","v":1}', "sealed with 'none' is refused; here it must be 'box1'"),
        (b'{"seal":"sign1","v":1}', "sealed with 'sign1'"),
        (b'{"device":"dot","seal":"box1","v":1}', "'key' must be a string"),
        (b'{"device":"dot","key":"../device","seal":"box1","v":1}', "'key' must be 16 hexadecimal digits"),
        (b'{"device":"dot","seal":"box1","v":1,"v":1}', "stands there twice"),
        (b'{"v":NaN}', "NaN is no JSON"),
        (b'{"v":"\\ud800"}', "plain JSON"),
        (b'{"v":' + b"9" * 5000 + b"}", "not JSON"),
        (b"[" * 5000, "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"\xff", "not JSON"),
        (b"x" * 16_385, "header line of at most 16384 bytes"),
    ],
)
def test_a_bad_header_is_named(header: bytes, sentence: str) -> None:
    error = refused(0, header + b"\n")
    assert sentence in str(error)
    assert error.reason == "malformed"


@pytest.mark.parametrize(
    "change",
    [
        {"device": "Dot"},
        {"device": ""},
        {"device": "d/t"},
        {"clip": "flex-1-000"},
        {"clip": "dot-" + "0" * 77},
        {"clip": "dot-\n"},
        {"number": -1},
        {"number": message.MAX_PARTS},
        {"begin": -1},
        {"begin": 32_001},
        {"begin": 15_999},
        {"end": 2**63},
        {"audio": b""},
        {"begin": 32_000},
        {"begin": 32_000, "audio": b""},
        {"facts": {"x": float("nan")}},
        {"facts": {"x": b"bytes"}},
        {"facts": {"x": "\ud800"}},
    ],
)
def test_a_part_that_cannot_be_cannot_be_made(change: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        replace(PART, **change)


def test_the_last_part_may_be_empty() -> None:
    part = replace(PART, begin=32_000, audio=b"", last=True)
    assert message.decode_part("dot", message.encode_part(part, DEVICE), FAR_END) == part


def test_a_message_stays_below_128_kib() -> None:
    header = len(message.encode_part(PART, DEVICE).partition(b"\n")[0]) + 1
    room = (128 * 1024 - 1 - header - BOX_BYTES - SIGNATURE_BYTES) // PADDING_BYTES * PADDING_BYTES
    largest = replace(PART, audio=b"x" * (room - len(canonical({"facts": PART.facts})) - 2))
    payload = message.encode_part(largest, DEVICE)
    assert 128 * 1024 - 512 <= len(payload) <= 128 * 1024 - 1
    assert message.decode_part("dot", payload, FAR_END) == largest
    with pytest.raises(MessageError, match="over the limit of 131071"):
        message.encode_part(replace(PART, audio=largest.audio + b"x"), DEVICE)
    assert "over the limit of 131071" in str(refused(0, payload + b"x" * 512))
    with pytest.raises(MessageError, match="send fewer"):
        message.encode_part(replace(PART, facts={"x": "y" * 20_000}), DEVICE)
    assert "must begin with a line of at most 16384 bytes" in str(refused(0, resealed(0, b"y" * 20_000 + b"\n")))


def test_a_directive_must_be_a_known_one() -> None:
    with pytest.raises(MessageError, match="'SelfDestruct' is not one of StopCapture, "):
        Directive("SelfDestruct")


def test_topics() -> None:
    assert message.topic("dot", "part") == "misheard/v1/dot/part"
    assert message.topic("+", "status") == "misheard/v1/+/status"
    assert message.parse_topic("misheard/v1/dot/receipt") == ("dot", "receipt")


@given(st.text() | st.from_regex(r"misheard/v1/.{0,50}/(part|event)"))
def test_a_foreign_topic_is_refused(text: str) -> None:
    try:
        device, kind = message.parse_topic(text)
    except MessageError:
        return
    assert message.topic(device, kind) == text
