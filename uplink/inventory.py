"""What the far end already has: a question of the device about parts that wait, and the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from uplink.envelope import JSON, canonical, count_field, object_field, pack, read_object, unpack
from uplink.errors import MessageError
from uplink.message import MAX_PARTS, require_clip
from uplink.seal import Seal

MARK_DIGITS = 16
"""So much of a digest tells one part of a clip from another under its number."""
MAX_QUESTION = 2**53
_MARK = re.compile(r"[0-9a-f]{16}")

Parts: TypeAlias = Mapping[str, Mapping[int, str]]
"""By clip and number: the mark of each part, the first 16 digits of the digest that its receipt would say."""


@dataclass(frozen=True)
class Inquiry:
    """Parts that wait on a device, under a number by which the answer is known."""

    device: str
    question: int
    parts: Parts


@dataclass(frozen=True)
class Inventory:
    """Those of the parts asked about that are stored, and those of their clips that are complete."""

    device: str
    question: int
    parts: Parts
    complete: frozenset[str] = frozenset()


def encode_inquiry(inquiry: Inquiry, seal: Seal) -> bytes:
    """Write a question as a payload; raises MessageError where it is too large."""
    content: dict[str, JSON] = {"question": inquiry.question, "parts": _written(inquiry.parts)}
    return pack("inquiry", inquiry.device, {}, canonical(content), seal)


def decode_inquiry(device: str, payload: bytes, seal: Seal) -> Inquiry:
    """Read a payload from this device's inquiry topic; raises MessageError."""
    fields = read_object(unpack("inquiry", device, payload, seal).content, "the content")
    return Inquiry(device, _question(fields), _parts(device, fields))


def encode_inventory(inventory: Inventory, seal: Seal) -> bytes:
    """Write an answer as a payload; raises MessageError where its device is not known."""
    content: dict[str, JSON] = {
        "question": inventory.question,
        "parts": _written(inventory.parts),
        "complete": sorted(inventory.complete),
    }
    return pack("inventory", inventory.device, {}, canonical(content), seal)


def decode_inventory(device: str, payload: bytes, seal: Seal) -> Inventory:
    """Read a payload from this device's inventory topic; raises MessageError."""
    fields = read_object(unpack("inventory", device, payload, seal).content, "the content")
    complete = fields.get("complete")
    if not isinstance(complete, list) or not all(isinstance(clip, str) for clip in complete):
        raise MessageError("the complete clips must be a list of clip ids")
    return Inventory(device, _question(fields), _parts(device, fields), frozenset(complete))


def _written(parts: Parts) -> JSON:
    return {clip: {str(number): mark for number, mark in marks.items()} for clip, marks in parts.items()}


def _question(fields: Mapping[str, JSON]) -> int:
    question = count_field(fields, "question")
    if not 0 <= question < MAX_QUESTION:
        raise MessageError(f"the question {str(question)[:40]} is not between 0 and 2^53")
    return question


def _parts(device: str, fields: Mapping[str, JSON]) -> Parts:
    parts: dict[str, dict[int, str]] = {}
    for clip, marks in object_field(fields, "parts").items():
        require_clip(device, clip)
        if not isinstance(marks, Mapping):
            raise MessageError("the parts of a clip must be an object")
        parts[clip] = {_number(number): _mark(mark) for number, mark in marks.items()}
    return parts


def _number(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,4}", text) or int(text) >= MAX_PARTS:
        raise MessageError(f"the part number {ascii(text)[:40]} is not between 0 and {MAX_PARTS - 1}")
    return int(text)


def _mark(value: JSON) -> str:
    if not isinstance(value, str) or not _MARK.fullmatch(value):
        raise MessageError(f"the mark {ascii(value)[:40]} is not {MARK_DIGITS} hexadecimal digits")
    return value
