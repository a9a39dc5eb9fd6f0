"""The form all messages share: one line of canonical JSON, a newline, and the sealed body.

`pack` and `unpack` know nothing of what a message means; `uplink.message` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn, TypeAlias

from uplink.errors import MessageError
from uplink.seal import Seal

VERSION = 1
MAX_MESSAGE_BYTES = 128 * 1024 - 1
"""Largest payload: every broker that is meant, AWS IoT Core among them, takes less than 128 KiB."""

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


def canonical(value: JSON) -> bytes:
    """Write JSON the one way the wire knows: sorted keys, no spaces, UTF-8; raises MessageError for what is no JSON."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise MessageError(f"the facts of a message must be plain JSON ({error})") from None


def pack(fields: Mapping[str, JSON], body: bytes, seal: Seal, *, max_header: int) -> bytes:
    """Write a message; raises MessageError where it would be larger than the wire allows (bytes)."""
    header = canonical({**fields, "v": VERSION, "seal": seal.name})
    if len(header) > max_header:
        raise MessageError(f"a header of {len(header)} bytes is over the limit of {max_header}; send fewer facts")
    payload = header + b"\n" + seal.close(header, body)
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MessageError(
            f"a message of {len(payload)} bytes is over the limit of {MAX_MESSAGE_BYTES}; cut it smaller"
        )
    return payload


def unpack(payload: bytes, seal: Seal, *, max_header: int) -> tuple[dict[str, JSON], bytes]:
    """Read a message into its header fields and its opened body; raises MessageError and nothing else."""
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MessageError(f"a message of {len(payload)} bytes is over the limit of {MAX_MESSAGE_BYTES}")
    end = payload.find(b"\n", 0, max_header + 1)
    if end < 0:
        raise MessageError(f"a message must begin with a header line of at most {max_header} bytes")
    header = payload[:end]
    fields = _parse(header)
    version = fields.get("v")
    if type(version) is not int or version != VERSION:
        raise MessageError(f"a message of version {_short(version)} is not understood; this end speaks {VERSION}")
    if fields.get("seal") != seal.name:
        raise MessageError(f"a message sealed with {_short(fields.get('seal'))} is refused; {seal.name!r} is agreed")
    return fields, seal.open(header, payload[end + 1 :])


def _parse(header: bytes) -> dict[str, JSON]:
    try:
        fields = json.loads(header.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"the header is not JSON ({str(error)[:80]})") from None
    if not isinstance(fields, dict):
        raise MessageError("the header is not a JSON object")
    # What came in must also be able to go out again: a lone surrogate or an endless number ends here.
    canonical(fields)
    return fields


def _object(pairs: Iterable[tuple[str, JSON]]) -> dict[str, JSON]:
    fields: dict[str, JSON] = {}
    for key, value in pairs:
        if key in fields:
            raise ValueError(f"{_short(key)} stands there twice")
        fields[key] = value
    return fields


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def text_field(fields: Mapping[str, JSON], name: str) -> str:
    """Give a header field that must be a string; raises MessageError otherwise."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise MessageError(f"the header field {name!r} must be a string, not {_short(value)}")
    return value


def count_field(fields: Mapping[str, JSON], name: str) -> int:
    """Give a header field that must be a whole number; raises MessageError otherwise."""
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MessageError(f"the header field {name!r} must be a whole number, not {_short(value)}")
    return value


def flag_field(fields: Mapping[str, JSON], name: str) -> bool:
    """Give a header field that must be true or false; raises MessageError otherwise."""
    value = fields.get(name)
    if not isinstance(value, bool):
        raise MessageError(f"the header field {name!r} must be true or false, not {_short(value)}")
    return value


def object_field(fields: Mapping[str, JSON], name: str) -> Mapping[str, JSON]:
    """Give a header field that must be an object; raises MessageError otherwise."""
    value = fields.get(name)
    if not isinstance(value, Mapping):
        raise MessageError(f"the header field {name!r} must be an object, not {_short(value)}")
    return value


def _short(value: object) -> str:
    return "nothing" if value is None else ascii(value)[:40]
