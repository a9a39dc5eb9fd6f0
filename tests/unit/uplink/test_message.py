"""The wire's messages: what goes in comes out, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uplink import message
from uplink.envelope import JSON
from uplink.errors import MessageError
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


DECODERS: list[Callable[[str, bytes], object]] = [
    message.decode_part,
    message.decode_receipt,
    message.decode_directive,
    message.decode_event,
    message.decode_status,
]
PAYLOADS = [
    message.encode_part(PART),
    message.encode_receipt(RECEIPT),
    message.encode_directive("dot", DIRECTIVE),
    message.encode_event("dot", {"kind": "wake"}),
    message.encode_status("dot", {"state": "online"}),
]


def sentence(decode: Callable[[str, bytes], object], payload: bytes) -> str:
    """Give what a decoder has against a payload; nothing where it takes it."""
    try:
        decode("dot", payload)
    except MessageError as error:
        return str(error)
    return ""


@given(parts())
def test_a_part_arrives_as_it_was_sent(part: Part) -> None:
    payload = message.encode_part(part)
    assert message.decode_part("dot", payload) == part
    assert message.encode_part(message.decode_part("dot", payload)) == payload


@given(objects, st.sampled_from(message.DIRECTIVES), st.none() | st.just(PART.clip))
def test_a_directive_arrives_as_it_was_sent(facts: dict[str, JSON], name: str, clip: str | None) -> None:
    directive = Directive(name, clip, facts)
    assert message.decode_directive("dot", message.encode_directive("dot", directive)) == directive


@given(objects)
def test_events_and_status_arrive_as_they_were_sent(facts: dict[str, JSON]) -> None:
    assert message.decode_event("dot", message.encode_event("dot", facts)) == facts
    status = {**facts, "state": "offline"}
    assert message.decode_status("dot", message.encode_status("dot", status)) == status


def test_a_receipt_arrives_as_it_was_sent() -> None:
    assert message.decode_receipt("dot", message.encode_receipt(RECEIPT)) == RECEIPT


@given(st.sampled_from(DECODERS), st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_in_one_sentence(decode: Callable[[str, bytes], object], payload: bytes) -> None:
    with pytest.raises(MessageError) as caught:
        decode("dot", payload)
    assert "\n" not in str(caught.value)


@given(st.sampled_from(DECODERS), st.sampled_from(PAYLOADS), st.data())
def test_a_mutated_message_is_read_or_refused_but_never_crashes(
    decode: Callable[[str, bytes], object], payload: bytes, data: st.DataObject
) -> None:
    begin = data.draw(st.integers(0, len(payload)))
    end = data.draw(st.integers(begin, min(len(payload), begin + 8)))
    mutated = payload[:begin] + data.draw(st.binary(max_size=8)) + payload[end:]
    assert len(sentence(decode, mutated)) < 400


@given(st.integers(0, 4), st.sampled_from(["v", "device", "clip", "number", "begin", "digest", "facts"]), json_values)
def test_a_field_of_any_other_type_never_crashes(which: int, name: str, value: JSON) -> None:
    header, _, body = PAYLOADS[which].partition(b"\n")
    fields = {**json.loads(header), name: value}
    mutated = json.dumps(fields).encode() + b"\n" + body
    assert len(sentence(DECODERS[which], mutated)) < 400


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (b'{"seal":"none","v":2}', "version 2"),
        (b'{"seal":"none","v":true}', "version True"),
        (b'{"seal":"box","v":1}', "sealed with 'box'"),
        (b'{"device":"dot","seal":"none","v":1,"v":1}', "stands there twice"),
        (b'{"v":NaN}', "NaN is no JSON"),
        (b'{"v":"\\ud800"}', "plain JSON"),
        (b'{"v":' + b"9" * 5000 + b"}", "not JSON"),
        (b"[" * 5000, "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"\xff", "not JSON"),
    ],
)
def test_a_bad_header_is_named(header: bytes, sentence: str) -> None:
    with pytest.raises(MessageError, match=sentence):
        message.decode_part("dot", header + b"\n")


def test_a_part_is_bound_to_its_topic_and_its_audio() -> None:
    payload = message.encode_part(PART)
    with pytest.raises(MessageError, match="came on the topic of 'flex'"):
        message.decode_part("flex", payload)
    with pytest.raises(MessageError, match="not what its digest says"):
        message.decode_part("dot", payload + b"x")


def test_a_message_without_a_body_may_not_have_one() -> None:
    with pytest.raises(MessageError, match="1 bytes follow"):
        message.decode_receipt("dot", message.encode_receipt(RECEIPT) + b"x")


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
    assert message.decode_part("dot", message.encode_part(part)) == part


def test_a_message_stays_below_128_kib() -> None:
    header = len(message.encode_part(replace(PART, audio=b"x" * 100_000))) - 100_000
    largest = replace(PART, audio=b"x" * (128 * 1024 - 1 - header))
    assert len(message.encode_part(largest)) == 128 * 1024 - 1
    with pytest.raises(MessageError, match="over the limit of 131071"):
        message.encode_part(replace(PART, audio=largest.audio + b"x"))
    with pytest.raises(MessageError, match="over the limit of 131071"):
        message.decode_part("dot", message.encode_part(largest) + b"x")
    with pytest.raises(MessageError, match="send fewer facts"):
        message.encode_part(replace(PART, facts={"x": "y" * 20_000}))


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
