"""The events and what is written about them."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from device.events import Kind, Stream
from device.states import State

DOCS = Path(__file__).parents[3] / "docs" / "events.md"


def test_every_kind_and_state_is_described() -> None:
    named = set(re.findall(r"`(\w+)`", DOCS.read_text()))
    assert {str(kind) for kind in Kind} | {str(state) for state in State} <= named


def test_a_stream_names_its_clips_by_utc_whatever_the_zone() -> None:
    east = datetime.timezone(datetime.timedelta(hours=5))
    stream = Stream("dot", datetime.datetime(2026, 1, 1, 5, 0, 0, 42, tzinfo=east))
    assert stream.clip(16_000) == "dot-20260101t000000000042-000000016000"
    assert stream.utc_at(24_000) == "2026-01-01T00:00:01.500042Z"
