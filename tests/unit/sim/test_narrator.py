"""What was said is told as it is heard, and beside what the far end made of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.events import Event, Kind
from sim.home.mixer import SpokenLine
from sim.narrator import Narrator
from tests.firmware_kit import kinds

LINES = (
    SpokenLine("ann", "Unacceptable.", 2000, 10_000, addressed=False),
    SpokenLine("ben", "Ask your sister.", 12_000, 30_000, addressed=False),
    SpokenLine("ann", "No.", 29_000, 33_000, addressed=False),
)


def hop(k: int) -> Event:
    return Event(1280 * k, Kind.HOP, {"scores": [0.0]})


def told(*events: Event, lines: tuple[SpokenLine, ...] = LINES) -> list[Event]:
    heard: list[Event] = []
    narrator = Narrator(lines, [heard.append])
    for event in events:
        narrator.note(event)
    return heard


def test_a_line_is_told_with_the_hop_in_which_it_begins() -> None:
    heard = told(*map(hop, range(1, 30)))
    said = kinds(heard, "said")
    assert [(e.sample, e.facts["who"], e.facts["text"]) for e in said] == [(x.begin, x.who, x.text) for x in LINES]
    assert [event.sample for event in heard] == sorted(event.sample for event in heard)
    after = heard[heard.index(said[0]) + 1]
    assert (after.kind, after.sample) == ("hop", 2560)


def test_lines_out_of_order_are_told_in_order_of_time() -> None:
    heard = told(*map(hop, range(1, 30)), lines=LINES[::-1])
    assert [event.facts["text"] for event in kinds(heard, "said")] == [line.text for line in LINES]


def test_all_observers_hear_everything_in_the_same_order() -> None:
    one: list[Event] = []
    other: list[Event] = []
    narrator = Narrator(LINES, [one.append, other.append])
    for k in range(1, 30):
        narrator.note(hop(k))
    assert one == other
    assert len(one) == 29 + 3


def test_beside_a_transcript_stands_what_was_said() -> None:
    end = Event(14_000, Kind.CAPTURE_END, {"clip": "dot-1", "begin": 1000, "end": 14_000, "reason": "silence"})
    transcript = Event(15_000, "transcript", {"clip": "dot-1", "text": "an acceptable ask"})
    heard = told(hop(1), end, transcript)
    (really,) = kinds(heard, "really_said")
    assert really.facts == {"clip": "dot-1", "text": "Unacceptable. Ask your sister. …"}
    assert heard.index(really) == heard.index(transcript) + 1


def test_an_old_clip_has_no_truth_here() -> None:
    assert not kinds(told(Event(5, "transcript", {"clip": "dot-0", "text": "old"})), "really_said")


def test_what_is_only_partly_inside_has_an_ellipsis() -> None:
    narrator = Narrator(LINES, [])
    assert narrator.said(0, 40_000) == "Unacceptable. Ask your sister. No."
    assert narrator.said(5000, 29_500) == "… Unacceptable. Ask your sister. … No. …"
    assert narrator.said(10_000, 12_000) == "", "between the lines"


@given(st.integers(0, 39_999), st.integers(1, 5000))
def test_a_line_is_inside_where_a_sample_of_it_is(begin: int, count: int) -> None:
    said = Narrator(LINES, []).said(begin, begin + count)
    for line in LINES:
        assert (line.text in said) == bool(range(max(line.begin, begin), min(line.end, begin + count)))
