"""How far a chain went is read off the events of all devices, and judged by what was really meant."""

from __future__ import annotations

import pytest

from device.events import Event
from sim.home.truth import SpokenLine
from sim.play.outcome import Outcome
from sim.play.truth import Truth
from uplink.message import JSON

CLIP = "dot-20260101t000000000000-000000010000"


def line(begin: int, end: int, text: str, **more: JSON) -> SpokenLine:
    words = text.split()
    size = (end - begin) // len(words)
    placed = tuple((word, begin + k * size, begin + (k + 1) * size) for k, word in enumerate(words))
    return SpokenLine("ann", text, begin, end, words=placed, **more)  # type: ignore[arg-type]


PRIVATE = line(8000, 24_000, "a lecture about oak")
ASKED = line(
    8000, 24_000, "alexa send a message to frank", to="dot", means={"intent": "send_message", "contact": "Frank"}
)

WAKE = Event(16_000, "wake", {"word": "alexa", "score": 0.9})
END = Event(90_000, "capture_end", {"clip": CLIP, "begin": 10_000, "end": 90_000, "reason": "silence"})
REQUEST = Event(90_000, "intent", {"intent": "send_message"})
CONTACT = Event(120_000, "contact", {"name": "Frank"})
YES = Event(150_000, "confirmation", {"answer": "yes"})
SENT = Event(200_000, "message", {"to": "Frank", "because": [{"step": "wake", "clip": CLIP}]})
CHAIN = [WAKE, END, REQUEST, CONTACT, YES, SENT]


def outcome(*events: Event, truth: SpokenLine = PRIVATE, then: tuple[SpokenLine, ...] = ()) -> Outcome:
    found = Outcome(Truth(lambda: (truth, *then)))
    for event in events:
        found.note(event)
    return found


def test_a_message_that_nobody_meant_is_misdirected() -> None:
    row = outcome(*CHAIN).row()
    assert (row["false_wakes"], row["woke"], row["sent"], row["misdirected"]) == (1, True, True, True)
    assert (row["intent"], row["contact"], row["confirmed"], row["stopped"]) == ("send_message", "Frank", True, "")
    assert row["uploaded_s"] == 5.0


def test_a_message_that_was_meant_is_not() -> None:
    found = outcome(*CHAIN, truth=ASKED)
    assert (found.true_wakes, found.false_wakes, found.misdirected) == (1, 0, 0)
    other = Event(200_000, "message", {**SENT.facts, "to": "Linda"})
    assert outcome(*CHAIN[:-1], other, truth=ASKED).misdirected == 1, "to someone nobody meant"


@pytest.mark.parametrize("means", [{"intent": "cancel"}, {"intent": "stop"}, {"confirm": False}])
def test_a_message_that_was_called_off_is_not_meant_any_more(means: dict[str, JSON]) -> None:
    off = line(130_000, 140_000, "cancel", to="dot", means=means)
    assert outcome(*CHAIN, truth=ASKED, then=(off,)).misdirected == 1
    again = line(150_000, 170_000, "send it to frank", to="dot", means=ASKED.means)
    assert outcome(*CHAIN, truth=ASKED, then=(off, again)).misdirected == 0


@pytest.mark.parametrize(
    ("events", "stopped"),
    [
        ([], "wake"),
        ([WAKE, END, Event(90_000, "verified", {"passed": False})], "second look"),
        ([WAKE, END, Event(90_000, "intent", {"intent": "none"})], "request"),
        ([WAKE, END, Event(90_000, "intent", {"intent": "time"})], "request"),
        ([WAKE, END, REQUEST, Event(90_000, "blocked", {"why": "off"})], "communications"),
        ([WAKE, END, REQUEST, Event(120_000, "contact", {"name": None})], "contact"),
        ([WAKE, END, REQUEST, CONTACT, Event(150_000, "confirmation", {"answer": "no"})], "confirmation"),
        (CHAIN[:-1], "message"),
    ],
)
def test_the_link_that_did_not_hold_is_named(events: list[Event], stopped: str) -> None:
    assert outcome(*events).stopped() == stopped


def test_who_heard_a_prompt_is_named_once() -> None:
    heard = Event(5, "prompt_audible", {"who": "ann", "heard": True})
    not_heard = Event(5, "prompt_audible", {"who": "ben", "heard": False})
    assert outcome(heard, not_heard, heard).heard_by == ["ann"]


def test_what_was_said_between_two_samples_is_cut_at_words() -> None:
    truth = Truth(lambda: (PRIVATE,))
    assert truth.said(0, 30_000) == "a lecture about oak"
    assert truth.said(14_500, 30_000) == "… about oak"
    assert truth.said(0, 15_000) == "a lecture …"
    assert truth.said(24_000, 30_000) == ""
