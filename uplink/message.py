"""What is said on the wire: topics, and the messages under them. `docs/protocol.md` describes the same in words.

A message object is always valid: its constructor raises MessageError for what the wire does not allow, and so do the
``decode_*`` functions for any bytes at all; neither raises anything else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, TypeAlias, get_args

from uplink.envelope import (
    JSON,
    MAX_MESSAGE_BYTES,
    canonical,
    count_field,
    flag_field,
    object_field,
    pack,
    text_field,
    unpack,
)
from uplink.errors import MessageError
from uplink.seal import PLAIN, Seal

__all__ = [
    "DIRECTIVES",
    "JSON",
    "MAX_MESSAGE_BYTES",
    "Directive",
    "Kind",
    "Part",
    "Receipt",
    "decode_directive",
    "decode_event",
    "decode_part",
    "decode_receipt",
    "decode_status",
    "encode_directive",
    "encode_event",
    "encode_part",
    "encode_receipt",
    "encode_status",
    "parse_topic",
    "topic",
]

Kind: TypeAlias = Literal["part", "event", "status", "receipt", "directive"]
DirectiveName: TypeAlias = Literal["StopCapture", "ExpectSpeech", "Speak", "SetMute", "DeleteClip", "TurnEnd"]
DIRECTIVES: Final[tuple[str, ...]] = get_args(DirectiveName)

MAX_PART_SAMPLES = 16_000
"""One second at 16 kHz: a part is sent while the capture goes on."""
MAX_PARTS = 100_000
"""Parts of one clip, and so the bound of a part's number: more than a day of capture."""
MAX_SAMPLE = 2**63 - 1
"""Sample indices are signed 64-bit wherever they are stored."""
_MAX_PART_HEADER = 16 * 1024
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
    may be empty (begin == end, no audio). facts: of the opening in part 0, of the end in the last part.
    """

    device: str
    clip: str
    number: int
    last: bool
    begin: int
    end: int
    facts: Mapping[str, JSON]
    audio: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _require_clip(self.device, self.clip)
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
    """The store's word that a part is safe; `complete` says that every part of the clip is."""

    device: str
    clip: str
    number: int
    digest: str
    complete: bool

    def __post_init__(self) -> None:
        _require_clip(self.device, self.clip)
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


def encode_part(part: Part, seal: Seal = PLAIN) -> bytes:
    """Write a part as a payload; raises MessageError where it is too large."""
    fields: dict[str, JSON] = {
        "device": part.device,
        "clip": part.clip,
        "number": part.number,
        "last": part.last,
        "begin": part.begin,
        "end": part.end,
        "facts": part.facts,
        "digest": part.digest,
    }
    return pack(fields, part.audio, seal, max_header=_MAX_PART_HEADER)


def decode_part(device: str, payload: bytes, seal: Seal = PLAIN) -> Part:
    """Read a payload from this device's part topic; raises MessageError, also for audio that its digest denies."""
    fields, audio = unpack(payload, seal, max_header=_MAX_PART_HEADER)
    part = Part(
        device=_same_device(device, fields),
        clip=text_field(fields, "clip"),
        number=count_field(fields, "number"),
        last=flag_field(fields, "last"),
        begin=count_field(fields, "begin"),
        end=count_field(fields, "end"),
        facts=object_field(fields, "facts"),
        audio=audio,
    )
    if text_field(fields, "digest") != part.digest:
        raise MessageError(f"the audio of part {part.number} of {part.clip} is not what its digest says")
    return part


def encode_receipt(receipt: Receipt, seal: Seal = PLAIN) -> bytes:
    """Write a receipt as a payload."""
    fields: dict[str, JSON] = {
        "device": receipt.device,
        "clip": receipt.clip,
        "number": receipt.number,
        "digest": receipt.digest,
        "complete": receipt.complete,
    }
    return pack(fields, b"", seal, max_header=MAX_MESSAGE_BYTES)


def decode_receipt(device: str, payload: bytes, seal: Seal = PLAIN) -> Receipt:
    """Read a payload from this device's receipt topic; raises MessageError."""
    fields = _bodiless(payload, seal)
    return Receipt(
        device=_same_device(device, fields),
        clip=text_field(fields, "clip"),
        number=count_field(fields, "number"),
        digest=text_field(fields, "digest"),
        complete=flag_field(fields, "complete"),
    )


def encode_directive(device: str, directive: Directive, seal: Seal = PLAIN) -> bytes:
    """Write a directive for this device as a payload; raises MessageError where its facts are too large."""
    fields: dict[str, JSON] = {
        "device": _require_device(device),
        "name": directive.name,
        "clip": directive.clip,
        "facts": directive.facts,
    }
    return pack(fields, b"", seal, max_header=MAX_MESSAGE_BYTES)


def decode_directive(device: str, payload: bytes, seal: Seal = PLAIN) -> Directive:
    """Read a payload from this device's directive topic; raises MessageError."""
    fields = _bodiless(payload, seal)
    _same_device(device, fields)
    return Directive(
        name=text_field(fields, "name"),
        clip=None if fields.get("clip") is None else text_field(fields, "clip"),
        facts=object_field(fields, "facts"),
    )


def encode_event(device: str, event: Mapping[str, JSON], seal: Seal = PLAIN) -> bytes:
    """Write an event of this device, any JSON object, as a payload."""
    return pack({"device": _require_device(device), "event": event}, b"", seal, max_header=MAX_MESSAGE_BYTES)


def decode_event(device: str, payload: bytes, seal: Seal = PLAIN) -> Mapping[str, JSON]:
    """Read a payload from this device's event topic; raises MessageError."""
    fields = _bodiless(payload, seal)
    _same_device(device, fields)
    return object_field(fields, "event")


def encode_status(device: str, status: Mapping[str, JSON], seal: Seal = PLAIN) -> bytes:
    """Write a status of this device as a payload: an object whose ``state`` is ``online`` or ``offline``."""
    fields: dict[str, JSON] = {"device": _require_device(device), "status": _require_state(status)}
    return pack(fields, b"", seal, max_header=MAX_MESSAGE_BYTES)


def decode_status(device: str, payload: bytes, seal: Seal = PLAIN) -> Mapping[str, JSON]:
    """Read a payload from this device's status topic; raises MessageError."""
    fields = _bodiless(payload, seal)
    _same_device(device, fields)
    return _require_state(object_field(fields, "status"))


def _bodiless(payload: bytes, seal: Seal) -> Mapping[str, JSON]:
    fields, body = unpack(payload, seal, max_header=MAX_MESSAGE_BYTES)
    if body:
        raise MessageError(f"{len(body)} bytes follow the header of a message that has no body")
    return fields


def _same_device(device: str, fields: Mapping[str, JSON]) -> str:
    said = text_field(fields, "device")
    if said != device:
        raise MessageError(f"a message of device {ascii(said)[:60]} came on the topic of {device!r}")
    return _require_device(device)


def _require_device(device: str) -> str:
    if not _DEVICE.fullmatch(device):
        raise MessageError(
            f"the device name {ascii(device)[:80]} must be lower-case letters, digits and hyphens, at most 40"
        )
    return device


def _require_clip(device: str, clip: str) -> None:
    _require_device(device)
    if not _CLIP.fullmatch(clip) or not clip.startswith(f"{device}-"):
        raise MessageError(
            f"the clip id {ascii(clip)[:90]} must begin with {device + '-'!r} and be lower-case letters, digits and "
            "hyphens, at most 80"
        )


def _require_number(number: int) -> None:
    if not 0 <= number < MAX_PARTS:
        raise MessageError(f"the part number {str(number)[:40]} is not between 0 and {MAX_PARTS - 1}")


def _require_state(status: Mapping[str, JSON]) -> Mapping[str, JSON]:
    if status.get("state") not in ("online", "offline"):
        raise MessageError("a status must have a state that is 'online' or 'offline'")
    return status
