"""A clip while it is recorded: how it is cut into parts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.capture import Capture
from device.events import Event, Kind
from device.ring import Ring
from tests.firmware_kit import plain


@given(
    begin=st.integers(0, 5000),
    part=st.integers(1, 3000),
    pieces=st.lists(st.integers(1, 4000), min_size=1, max_size=12),
)
def test_the_parts_are_the_clip(begin: int, part: int, pieces: list[int]) -> None:
    ring = Ring(20_000)
    ring.append(plain(0, begin + 1))
    capture = Capture("dot-1", begin, part, {"initiator": "wakeword"})
    events: list[Event] = []
    for piece in pieces:
        ring.append(plain(ring.head, piece))
        now = list(capture.advance(ring))
        assert all(event.sample == ring.head for event in now), "a part is sent as soon as it is full"
        events += now
        assert ring.head - begin - sum(len(event.audio) for event in events if event.audio is not None) <= part
    *parts, end = [*events, *capture.end(ring, "silence")]
    assert end.kind == Kind.CAPTURE_END
    assert end.facts == {
        "clip": "dot-1",
        "reason": "silence",
        "begin": begin,
        "end": ring.head,
        "parts": len(parts),
    }
    assert [event.facts["number"] for event in parts] == list(range(len(parts)))
    assert [event.facts["last"] for event in parts] == [False] * (len(parts) - 1) + [True]
    edges = [begin, *(event.facts["end"] for event in parts)]
    assert [event.facts["begin"] for event in parts] == edges[:-1]
    sounds = [event.audio for event in parts if event.audio is not None]
    assert all(1 <= len(sound) <= part for sound in sounds), "also the last part has sound"
    assert all(len(sound) == part for sound in sounds[:-1])
    np.testing.assert_array_equal(np.concatenate(sounds), plain(begin, ring.head - begin))
    facts = [event.facts["facts"] for event in parts]
    opening, ending = {"initiator": "wakeword"}, {"reason": "silence"}
    assert facts == ([{**opening, **ending}] if len(parts) == 1 else [opening, *[{}] * (len(parts) - 2), ending])
