"""Sound as a browser plays it: WAV, whole or the stretch that was asked for."""

from __future__ import annotations

import re
import struct

import numpy as np
from starlette.responses import Response

from wakeword.sound import RATE, Samples

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def wav(samples: Samples) -> bytes:
    """The samples as a WAV file of 16 bits."""
    data = np.ascontiguousarray(samples, "<i2").tobytes()
    header = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt "
    return (
        header
        + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
        + b"data"
        + struct.pack("<I", len(data))
        + data
    )


def sound_response(samples: Samples, asked: str | None) -> Response:
    """Answer with a WAV file, or with the range of it that the header `asked` names (RFC 9110, one range alone)."""
    content = wav(samples)
    headers = {"accept-ranges": "bytes"}
    span = _span(asked, len(content))
    if span is None:
        return Response(content, 200, headers, "audio/wav")
    begin, end = span
    if begin >= end:
        return Response(b"", 416, {**headers, "content-range": f"bytes */{len(content)}"})
    headers["content-range"] = f"bytes {begin}-{end - 1}/{len(content)}"
    return Response(content[begin:end], 206, headers, "audio/wav")


def _span(asked: str | None, size: int) -> tuple[int, int] | None:
    """From where to where, end excluded; None for the whole, and for a header that says nothing that is understood."""
    found = _RANGE.fullmatch(asked.strip()) if asked else None
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found.groups()
    if len(first) > 18 or len(last) > 18:
        return size, size
    if not first:
        return max(size - int(last), 0) if int(last) else size, size
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size
