"""What is said on the wire: topics, and the messages under them. `docs/protocol.md` describes the same in words.

A message object is always valid: its constructor raises MessageError for what the wire does not allow, and so do the
``decode_*`` functions for any bytes at all; neither raises anything else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, TypeAlias, get_args

from uplink.envelope import (
    JSON,
    MAX_HEADER_BYTES,
    MAX_MESSAGE_BYTES,
    canonical,
    count_field,
    digest_of,
    flag_field,
    object_field,
    pack,
    pack_clear,
    read_object,
    text_field,
    unpack,
    unpack_clear,
)
from uplink.errors import MessageError
from uplink.seal import Seal

__all__ = [
    "DIRECTIVES",
    "JSON",
    "MAX_MESSAGE_BYTES",
    "Directive",
    "Kind",
    "Order",
    "Part",
    "Receipt",
    "decode_directive",
    "decode_event",
    "decode_part",
    "decode_receipts",
    "decode_status",
    "digest_of",
    "encode_directive",
    "encode_event",
    "encode_part",
    "encode_receipts",
    "encode_status",
    "parse_topic",
    "require_clip",
    "topic",
]

Kind: TypeAlias = Literal["part", "event", "status", "inquiry", "receipt", "directive", "inventory"]
DirectiveName: TypeAlias = Literal["StopCapture", "ExpectSpeech", "Speak", "SetMute", "DeleteClip", "TurnEnd"]
DIRECTIVES: Final[tuple[str, ...]] = get_args(DirectiveName)

MAX_PART_SAMPLES = 16_000
"""One second at 16 kHz: a part is sent while the capture goes on."""
MAX_PARTS = 100_000
"""Parts of one clip, and so the bound of a part's number: more than a day of capture."""
MAX_SAMPLE = 2**63 - 1
"""Sample indices are signed 64-bit wherever they are stored."""
MAX_SERIAL = 2**63 - 1
_ROOT = "misheard/v1"
_TOPIC = re.compile(rf"{_ROOT}/([^/]+)/({'|'.join(get_args(Kind))})")
_DEVICE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_CLIP = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def topic(device: str, kind: Kind) -> str:
    """Give the topic of this kind of message; ``+`` as the device subscribes to all devices."""
    if device != "+":
        _require_device(device)
    return f"{_ROOT}/{device}/{kind}"


def parse_topic(text: str) -> tuple[str, Kind]:
    """Give device and kind of a topic; raises MessageError where it is none of ours."""
    match = _TOPIC.fullmatch(text)
    if match is None:
        raise MessageError(f"the topic {ascii(text)[:80]} is not one of ours")
    device, kind = match.groups()
    _require_device(device)
    return device, kind  # type: ignore[return-value] # the pattern holds the words of Kind


@dataclass(frozen=True)
class Part:
    """One part of a clip: FLAC that decodes alone, and where it stands in the stream.

    device: lower-case letters, digits and hyphens, at most 40. clip: the same, at most 80, beginning with the device
    and a hyphen. number: from 0. begin, end: sample indices in the stream, at most 16,000 apart; only the last part
    may be empty (begin == end, no audio). facts: of the opening in part 0, of the end in the last part, at most 16 KiB.
    sealed: the digest of the sealed body in which it came, by which its receipt names it; none for one that never
    travelled.
    """

    device: str
    clip: str
    number: int
    last: bool
    begin: int
    end: int
    facts: Mapping[str, JSON]
    audio: bytes = field(repr=False)
    sealed: str | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_clip(self.device, self.clip)
        _require_number(self.number)
        if not 0 <= self.begin <= self.end <= MAX_SAMPLE:
            raise MessageError(f"a part from sample {self.begin} to {self.end} cannot be; it must run forwards from 0")
        if self.end - self.begin > MAX_PART_SAMPLES:
            raise MessageError(f"a part of {self.end - self.begin} samples is over the limit of {MAX_PART_SAMPLES}")
        if (self.begin == self.end) != (not self.audio):
            raise MessageError(
                f"a part of {self.end - self.begin} samples cannot have {len(self.audio)} bytes of audio"
            )
        if not self.audio and not self.last:
            raise MessageError("only the last part of a clip may be empty")
        canonical(self.facts)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the audio, in hexadecimal."""
        return hashlib.sha256(self.audio).hexdigest()


@dataclass(frozen=True)
class Receipt:
    """The store's word that a part is safe; `complete` says that every part of the clip is.

    digest: of the sealed body in which the part came.
    """

    device: str
    clip: str
    number: int
    digest: str
    complete: bool

    def __post_init__(self) -> None:
        require_clip(self.device, self.clip)
        _require_number(self.number)
        if not _DIGEST.fullmatch(self.digest):
            raise MessageError(f"the digest {ascii(self.digest)[:80]} is not 64 hexadecimal digits")


@dataclass(frozen=True)
class Directive:
    """What the far end wants of a device; `clip` is the clip it answers, if any."""

    name: str
    clip: str | None = None
    facts: Mapping[str, JSON] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in DIRECTIVES:
            raise MessageError(f"the directive {ascii(self.name)[:40]} is not one of {', '.join(DIRECTIVES)}")
        if self.clip is not None and not _CLIP.fullmatch(self.clip):
            raise MessageError(f"the clip id {ascii(self.clip)[:80]} is not lower-case letters, digits and hyphens")
        canonical(self.facts)


@dataclass(frozen=True)
class Order:
    """A directive as it came: `serial` grows with each that the far end, whose key is `signer`, gives."""

    directive: Directive
    serial: int
    signer: str


def encode_part(part: Part, seal: Seal) -> bytes:
    """Write a part as a payload, different every time; raises MessageError where it is too large."""
    fields: dict[str, JSON] = {
        "clip": part.clip,
        "number": part.number,
        "last": part.last,
        "begin": part.begin,
        "end": part.end,
    }
    facts = canonical({"facts": part.facts})
    if len(facts) > MAX_HEADER_BYTES:
        raise MessageError(f"facts of {len(facts)} bytes are over the limit of {MAX_HEADER_BYTES}; send fewer")
    return pack("part", part.device, fields, facts + b"\n" + part.audio, seal)


def decode_part(device: str, payload: bytes, seal: Seal) -> Part:
    """Read a payload from this device's part topic; raises MessageError."""
    letter = unpack("part", _require_device(device), payload, seal)
    fields = letter.fields
    facts, newline, audio = letter.content.partition(b"\n")
    if not newline or len(facts) > MAX_HEADER_BYTES:
        raise MessageError(f"the content of a part must begin with a line of at most {MAX_HEADER_BYTES} bytes")
    return Part(
        device=device,
        clip=text_field(fields, "clip"),
        number=count_field(fields, "number"),
        last=flag_field(fields, "last"),
        begin=count_field(fields, "begin"),
        end=count_field(fields, "end"),
        facts=object_field(read_object(facts, "the content"), "facts"),
        audio=audio,
        sealed=letter.digest,
    )


def encode_receipts(receipts: Sequence[Receipt], seal: Seal) -> bytes:
    """Write receipts, at least one and all of one device, as a payload.

    Raises MessageError where the device is not known, or they are too many for a message.
    """
    first, *others = receipts
    more = {"more": [_written(receipt) for receipt in others]} if others else {}
    return pack("receipt", first.device, {}, canonical({**_written(first), **more}), seal)


def decode_receipts(device: str, payload: bytes, seal: Seal) -> list[Receipt]:
    """Read a payload from this device's receipt topic; raises MessageError."""
    content = read_object(unpack("receipt", _require_device(device), payload, seal).content, "the content")
    more = content.get("more", [])
    if not isinstance(more, list) or not all(isinstance(each, Mapping) for each in more):
        raise MessageError("the field 'more' must be a list of objects")
    return [
        Receipt(
            device=device,
            clip=text_field(each, "clip"),
            number=count_field(each, "number"),
            digest=text_field(each, "digest"),
            complete=flag_field(each, "complete"),
        )
        for each in (content, *more)
    ]


def _written(receipt: Receipt) -> dict[str, JSON]:
    return {
        "clip": receipt.clip,
        "number": receipt.number,
        "digest": receipt.digest,
        "complete": receipt.complete,
    }


def encode_directive(device: str, directive: Directive, serial: int, seal: Seal) -> bytes:
    """Write a directive for this device as a payload; raises MessageError where it is too large."""
    content: dict[str, JSON] = {
        "serial": _require_serial(serial),
        "name": directive.name,
        "clip": directive.clip,
        "facts": directive.facts,
    }
    return pack("directive", _require_device(device), {}, canonical(content), seal)


def decode_directive(device: str, payload: bytes, seal: Seal) -> Order:
    """Read a payload from this device's directive topic; raises MessageError. It may be a replay: see its serial."""
    letter = unpack("directive", _require_device(device), payload, seal)
    content = read_object(letter.content, "the content")
    directive = Directive(
        name=text_field(content, "name"),
        clip=None if content.get("clip") is None else text_field(content, "clip"),
        facts=object_field(content, "facts"),
    )
    return Order(directive, _require_serial(count_field(content, "serial")), letter.signer)


def encode_event(device: str, event: Mapping[str, JSON], seal: Seal) -> bytes:
    """Write an event of this device, any JSON object, as a payload."""
    return pack("event", _require_device(device), {}, canonical(event), seal)


def decode_event(device: str, payload: bytes, seal: Seal) -> Mapping[str, JSON]:
    """Read a payload from this device's event topic; raises MessageError."""
    return read_object(unpack("event", _require_device(device), payload, seal).content, "the content")


def encode_status(device: str, status: Mapping[str, JSON], seal: Seal) -> bytes:
    """Write a status of this device as a payload: an object whose ``state`` is ``online`` or ``offline``."""
    return pack_clear("status", _require_device(device), {"status": _require_state(status)}, seal)


def decode_status(device: str, payload: bytes, seal: Seal) -> Mapping[str, JSON]:
    """Read a payload from this device's status topic; raises MessageError."""
    return _require_state(object_field(unpack_clear("status", _require_device(device), payload, seal), "status"))


def _require_device(device: str) -> str:
    if not _DEVICE.fullmatch(device):
        raise MessageError(
            f"the device name {ascii(device)[:80]} must be lower-case letters, digits and hyphens, at most 40"
        )
    return device


def require_clip(device: str, clip: str) -> None:
    """Raise MessageError for a clip id that is none of this device's."""
    _require_device(device)
    if not _CLIP.fullmatch(clip) or not clip.startswith(f"{device}-"):
        raise MessageError(
            f"the clip id {ascii(clip)[:90]} must begin with {device + '-'!r} and be lower-case letters, digits and "
            "hyphens, at most 80"
        )


def _require_number(number: int) -> None:
    if not 0 <= number < MAX_PARTS:
        raise MessageError(f"the part number {str(number)[:40]} is not between 0 and {MAX_PARTS - 1}")


def _require_serial(serial: int) -> int:
    if not 0 < serial <= MAX_SERIAL:
        raise MessageError(f"the serial {str(serial)[:40]} is not between 1 and 2^63 - 1")
    return serial


def _require_state(status: Mapping[str, JSON]) -> Mapping[str, JSON]:
    if status.get("state") not in ("online", "offline"):
        raise MessageError("a status must have a state that is 'online' or 'offline'")
    return status
