"""The wire's description tells the truth: its examples are what the code writes and reads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from uplink import message

TEXT = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()
EXAMPLES = dict(re.findall(r"```(\w+)\n(.+?)\n```", TEXT, re.DOTALL))


@pytest.mark.parametrize("kind", ["receipt", "directive", "event", "status"])
def test_an_example_is_read_and_written_the_same(kind: str) -> None:
    payload = EXAMPLES[kind].encode() + b"\n"
    if kind == "receipt":
        again = message.encode_receipt(message.decode_receipt("dot", payload))
    elif kind == "directive":
        again = message.encode_directive("dot", message.decode_directive("dot", payload))
    elif kind == "event":
        again = message.encode_event("dot", message.decode_event("dot", payload))
    else:
        again = message.encode_status("dot", message.decode_status("dot", payload))
    assert again == payload


def test_the_example_of_a_part_has_the_header_of_a_part() -> None:
    header = json.loads(EXAMPLES["part"].splitlines()[0])
    part = message.Part(
        **{name: header[name] for name in ("device", "clip", "number", "last", "begin", "end", "facts")}, audio=b"fLaC"
    )
    real, _, _ = message.encode_part(part).partition(b"\n")
    assert real.replace(part.digest.encode(), header["digest"].encode()) == EXAMPLES["part"].splitlines()[0].encode()


def test_every_directive_and_limit_is_described() -> None:
    for name in message.DIRECTIVES:
        assert f"| `{name}` |" in TEXT
    for limit in (message.MAX_MESSAGE_BYTES, message.MAX_PART_SAMPLES, message.MAX_PARTS - 1):
        assert f"{limit:,}" in TEXT
