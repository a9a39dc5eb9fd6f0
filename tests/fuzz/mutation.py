"""Ways to spoil bytes, and JSON: what a bad disk, a bad line, or somebody who knows the form, makes of them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

_NUMBERS = (-1, 0, 1, 127, 128, 255, 256, 32_767, 65_535, 2**31 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, 1e308, -0.0)
_TEXTS = ("", "\0", "\n", "é", "\ud800", "dot", "../x", "x" * 2_000, "\N{RIGHT-TO-LEFT OVERRIDE}", "true", "NaN")
_TOKENS = (b"{", b"}", b"[", b'"', b"\n", b"\0", b"\\u0000", b"1e999", b"-", b"null", b"\xff\xfe", b"\x80", b"fLaC")


def spoil(chance: random.Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Change some bytes, some times; never gives what it got."""
    spoilt = data
    while spoilt == data:
        for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
            spoilt = _once(chance, spoilt, others)
    return spoilt


def _once(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    begin = chance.randrange(len(data) + 1)
    end = min(len(data), begin + chance.choice((1, 1, 2, 4, 16, 64, 1024)))
    ways = ("flip", "flip", "write", "insert", "take out", "double", "cut", "cross", "token", "blank")
    way = chance.choice(ways)
    if way == "flip" and begin < len(data):
        return data[:begin] + bytes([data[begin] ^ 1 << chance.randrange(8)]) + data[begin + 1 :]
    if way == "write":
        return data[:begin] + chance.randbytes(end - begin) + data[end:]
    if way == "insert":
        return data[:begin] + chance.randbytes(chance.choice((1, 2, 16, 300))) + data[begin:]
    if way == "take out":
        return data[:begin] + data[end:]
    if way == "double":
        return data[:end] + data[begin:]
    if way == "cut":
        return data[:begin]
    if way == "cross" and others:
        other = chance.choice(others)
        return data[:begin] + other[chance.randrange(len(other) + 1) :]
    if way == "blank":
        return data[:begin] + bytes(end - begin) + data[end:]
    return data[:begin] + chance.choice(_TOKENS) + data[begin:]


def spoil_json(chance: random.Random, value: Any) -> Any:
    """Change one thing in a value as JSON has them: another value, another type, a key more or less."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(sorted(value))
        way = chance.random()
        if way < 0.15:
            return {name: each for name, each in value.items() if name != key}
        if way < 0.25:
            return {**value, chance.choice(_TEXTS): _any(chance)}
        return {**value, key: spoil_json(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        return [*value[:at], spoil_json(chance, value[at]), *value[at + chance.randrange(2) :]]
    if isinstance(value, str) and chance.random() < 0.5:
        at = chance.randrange(len(value) + 1)
        return value[:at] + chance.choice(_TEXTS) + value[at + chance.randrange(3) :]
    return _any(chance)


def _any(chance: random.Random) -> Any:
    deep: Any = 0
    for _ in range(chance.choice((1, 3, 50))):
        deep = [deep] if chance.random() < 0.5 else {"x": deep}
    return chance.choice((chance.choice(_NUMBERS), chance.choice(_TEXTS), None, True, False, [], {}, deep))


def written(value: Any) -> bytes:
    """Write JSON as somebody else might, with whatever is in it."""
    return json.dumps(value, separators=(",", ":")).encode()
