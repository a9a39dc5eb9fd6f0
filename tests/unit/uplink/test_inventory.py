"""Questions and answers about what is stored, as bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.uplink_kit import known
from uplink.envelope import canonical, pack
from uplink.errors import MessageError
from uplink.inventory import (
    Inquiry,
    Inventory,
    decode_inquiry,
    decode_inventory,
    encode_inquiry,
    encode_inventory,
)

CLIPS = st.from_regex(r"dot-[a-z0-9-]{1,40}", fullmatch=True)
MARKS = st.dictionaries(st.integers(0, 99_999), st.from_regex(r"[0-9a-f]{16}", fullmatch=True), max_size=4)
PARTS = st.dictionaries(CLIPS, MARKS, max_size=4)
GOOD: dict[str, Any] = {"question": 1, "parts": {"dot-1": {"0": "0" * 16}}, "complete": []}


@given(st.integers(0, 2**53 - 1), PARTS, st.frozensets(CLIPS, max_size=3))
def test_what_is_written_is_read(question: int, parts: dict[str, dict[int, str]], complete: frozenset[str]) -> None:
    inquiry, inventory = Inquiry("dot", question, parts), Inventory("dot", question, parts, complete)
    assert decode_inquiry("dot", encode_inquiry(inquiry, known().device), known().far_end) == inquiry
    assert decode_inventory("dot", encode_inventory(inventory, known().far_end), known().device) == inventory


def wrong(field: str, *values: Any) -> list[tuple[str, Any]]:
    return [(field, value) for value in values]


WRONG = [
    *wrong("question", None, "1", 1.0, True, -1, 2**53),
    *wrong("parts", None, [], "x", {"dot-1": []}, {"lamp-1": {}}, {"DOT-1": {}}),
    *wrong("parts", *({"dot-1": {key: "0" * 16}} for key in ("", "01", "-1", "100000", "x", "٣", "1" * 5000))),
    *wrong("parts", *({"dot-1": {"0": mark}} for mark in (None, 0, "0" * 15, "0" * 17, "G" * 16, "0" * 16 + "\n"))),
    *wrong("complete", None, "dot-1", [1], {"dot-1": True}),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_anything_else_is_refused(field: str, value: Any) -> None:
    content = canonical({**GOOD, field: value})
    with pytest.raises(MessageError):
        decode_inventory("dot", pack("inventory", "dot", {}, content, known().far_end), known().device)
    if field != "complete":
        with pytest.raises(MessageError):
            decode_inquiry("dot", pack("inquiry", "dot", {}, content, known().device), known().far_end)


def test_a_question_is_no_answer() -> None:
    payload = encode_inquiry(Inquiry("dot", 1, {}), known().device)
    with pytest.raises(MessageError):
        decode_inventory("dot", payload, known().device)
    with pytest.raises(MessageError):
        decode_inventory("dot", payload, known().far_end)
