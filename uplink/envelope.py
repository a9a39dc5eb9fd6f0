"""The form all messages share: one line of canonical JSON that all may read, a newline, and the sealed body.

Nothing here knows what a message means; `uplink.message` does.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from uplink.errors import MessageError
from uplink.seal import SEALED, SIGNED, Seal

VERSION = 1
MAX_MESSAGE_BYTES = 128 * 1024 - 1
"""Largest payload: every broker that is meant, AWS IoT Core among them, takes less than 128 KiB."""

MAX_HEADER_BYTES = 16 * 1024
PADDING_BYTES = 512
"""What is sealed is filled up to a multiple of this, so that its length does not tell one directive from another."""
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


def canonical(value: JSON) -> bytes:
    """Write JSON the one way the wire knows: sorted keys, no spaces, UTF-8; raises MessageError for what is no JSON."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise MessageError(f"the facts of a message must be plain JSON ({error})") from None


@dataclass(frozen=True)
class Letter:
    """A message that was opened and verified: its clear header, what was sealed, and by whom it is signed.

    digest: SHA-256 of the sealed body as it came, by which both ends can name it and nobody else learns anything.
    """

    fields: Mapping[str, JSON]
    content: bytes
    signer: str
    digest: str


def digest_of(payload: bytes) -> str:
    """Give the SHA-256 of the body of a payload."""
    return hashlib.sha256(payload[payload.find(b"\n") + 1 :]).hexdigest()


def pack(kind: str, device: str, fields: Mapping[str, JSON], content: bytes, seal: Seal) -> bytes:
    """Write a message: the fields for all to see, the content for the other end alone, both signed.

    Raises MessageError where it would be larger than the wire allows, or the keys for it are missing.
    """
    receiver = seal.receiver(device)
    header = _header({**fields, "device": device, "seal": SEALED, "key": receiver.fingerprint})
    return _fitting(header + b"\n" + seal.close(kind, device, header, _padded(content), receiver))


def unpack(kind: str, device: str, payload: bytes, seal: Seal) -> Letter:
    """Read what `pack` wrote under the topic of this device; raises MessageError and nothing else."""
    header, fields, body = _split(device, payload, SEALED)
    try:
        opened = seal.open(kind, device, key_field(fields), header, body)
    except MessageError as error:
        raise MessageError(f"{_title(kind, fields)}: {error}", error.reason) from None
    return Letter(fields, _unpadded(opened.content), opened.signer, hashlib.sha256(body).hexdigest())


def pack_clear(kind: str, device: str, fields: Mapping[str, JSON], seal: Seal) -> bytes:
    """Write a message that all may read, signed; raises MessageError as `pack` does."""
    header = _header({**fields, "device": device, "seal": SIGNED, "key": seal.receiver(device).fingerprint})
    return _fitting(header + b"\n" + seal.sign(kind, device, header))


def unpack_clear(kind: str, device: str, payload: bytes, seal: Seal) -> Mapping[str, JSON]:
    """Read what `pack_clear` wrote under the topic of this device; raises MessageError and nothing else."""
    header, fields, signature = _split(device, payload, SIGNED)
    seal.verify(kind, device, key_field(fields), header, signature)
    return fields


def _header(fields: Mapping[str, JSON]) -> bytes:
    header = canonical({**fields, "v": VERSION})
    if len(header) > MAX_HEADER_BYTES:
        raise MessageError(f"a header of {len(header)} bytes is over the limit of {MAX_HEADER_BYTES}; send fewer facts")
    return header


def _padded(content: bytes) -> bytes:
    """Fill up to the next whole block, as ISO/IEC 7816-4 does: a byte 0x80, then zeros."""
    return content + b"\x80" + bytes(-(len(content) + 1) % PADDING_BYTES)


def _unpadded(content: bytes) -> bytes:
    end = content.rfind(b"\x80")
    fill = content[end:]
    if end < 0 or len(content) % PADDING_BYTES or len(fill) > PADDING_BYTES or fill.rstrip(b"\0") != b"\x80":
        raise MessageError("the content is not filled up as it must be")
    return content[:end]


def _title(kind: str, fields: Mapping[str, JSON]) -> str:
    """Name a message as its header does, whom nobody has vouched for."""
    if "clip" not in fields:
        return f"{kind} of {_short(fields.get('device'))}"
    return f"{kind} {_short(fields.get('number'))} of clip {ascii(fields['clip'])[:90]}"


def _fitting(payload: bytes) -> bytes:
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MessageError(
            f"a message of {len(payload)} bytes is over the limit of {MAX_MESSAGE_BYTES}; cut it smaller"
        )
    return payload


def _split(device: str, payload: bytes, seal: str) -> tuple[bytes, Mapping[str, JSON], bytes]:
    """Give header, its fields, and body; raises MessageError unless device, version and seal are right."""
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MessageError(f"a message of {len(payload)} bytes is over the limit of {MAX_MESSAGE_BYTES}")
    end = payload.find(b"\n", 0, MAX_HEADER_BYTES + 1)
    if end < 0:
        raise MessageError(f"a message must begin with a header line of at most {MAX_HEADER_BYTES} bytes")
    header = payload[:end]
    fields = read_object(header, "the header")
    version = fields.get("v")
    if type(version) is not int or version != VERSION:
        raise MessageError(f"a message of version {_short(version)} is not understood; this end speaks {VERSION}")
    if fields.get("seal") != seal:
        raise MessageError(f"a message sealed with {_short(fields.get('seal'))} is refused; here it must be {seal!r}")
    if fields.get("device") != device:
        raise MessageError(f"a message of device {_short(fields.get('device'))} came on the topic of {device!r}")
    return header, fields, payload[end + 1 :]


def read_object(text: bytes, what: str) -> dict[str, JSON]:
    """Read a JSON object, no key of it twice; raises MessageError, which calls it `what`."""
    try:
        fields = json.loads(text.decode(), object_pairs_hook=_object, parse_constant=_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"{what} is not JSON ({str(error)[:80]})") from None
    if not isinstance(fields, dict):
        raise MessageError(f"{what} is not a JSON object")
    if b"\\u" in text:  # what came in must also be able to go out again: a lone surrogate ends here
        canonical(fields)
    return fields


def _object(pairs: Iterable[tuple[str, JSON]]) -> dict[str, JSON]:
    fields: dict[str, JSON] = {}
    for key, value in pairs:
        if key in fields:
            raise ValueError(f"{_short(key)} stands there twice")
        fields[key] = value
    return fields


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:40]} is too large a number")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def text_field(fields: Mapping[str, JSON], name: str) -> str:
    """Give a header field that must be a string; raises MessageError otherwise."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise MessageError(f"the field {name!r} must be a string, not {_short(value)}")
    return value


def count_field(fields: Mapping[str, JSON], name: str) -> int:
    """Give a header field that must be a whole number; raises MessageError otherwise."""
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MessageError(f"the field {name!r} must be a whole number, not {_short(value)}")
    return value


def flag_field(fields: Mapping[str, JSON], name: str) -> bool:
    """Give a header field that must be true or false; raises MessageError otherwise."""
    value = fields.get(name)
    if not isinstance(value, bool):
        raise MessageError(f"the field {name!r} must be true or false, not {_short(value)}")
    return value


def object_field(fields: Mapping[str, JSON], name: str) -> Mapping[str, JSON]:
    """Give a header field that must be an object; raises MessageError otherwise."""
    value = fields.get(name)
    if not isinstance(value, Mapping):
        raise MessageError(f"the field {name!r} must be an object, not {_short(value)}")
    return value


def key_field(fields: Mapping[str, JSON]) -> str:
    """Give the header field ``key``, a key's fingerprint; raises MessageError where it is none."""
    value = text_field(fields, "key")
    if not _FINGERPRINT.fullmatch(value):
        raise MessageError(f"the field 'key' must be 16 hexadecimal digits, not {_short(value)}")
    return value


def _short(value: object) -> str:
    return "nothing" if value is None else ascii(value)[:40]
