"""What a person sees while the device runs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from device.events import Event, Kind
from device.timeline import _LINES, Timeline
from tests.firmware_kit import Scene
from uplink.message import JSON

ABOUT: dict[str, dict[str, JSON]] = {
    "home_connected": {"unsaid": 0},
    "home_disconnected": {"reason": "it is gone"},
    "home_refused": {"topic": "a/b", "why": "it is not JSON", "count": 1},
    "home_rejected": {"topic": "a/b", "reason": "not authorized"},
    "home_dropped": {"count": 3},
    "home_failed": {"why": "KeyError('x')"},
    "said": {"who": "ann", "text": "Unacceptable."},
    "part_sent": {"clip": "dot-1", "number": 3, "bytes": 12_345},
    "receipt": {"clip": "dot-1", "number": 3, "complete": True},
    "transcript": {"clip": "dot-1", "text": "an acceptable", "recognizer": "sphinx"},
    "really_said": {"clip": "dot-1", "text": "Unacceptable."},
    "unanswered": {"clip": "dot-1", "reason": "the model is gone"},
    "connected": {},
    "disconnected": {"reason": "keep-alive"},
    "refused": {"reason": "no JSON"},
    "spool_error": {"reason": "the disk is full"},
    "microphone_gone": {"name": "stick", "why": "the microphone 'stick' has disappeared; it is waited for"},
    "microphone_refused": {"why": "there is no microphone; plug one in"},
    "loudspeaker": {"name": "box", "why": None},
    "microphone_back": {"name": "stick", "samples": 16_000},
    "microphone_level": {"advice": [], "rms_dbfs": -51.2, "peak_dbfs": -30.1},
    "verified": {"word": "alexa", "passed": False, "method": "recognizer", "score": 0.2, "threshold": 0.5},
    "arbitrated": {"winner": "kitchen"},
    "intent": {"intent": "send_message", "phrase": "sent a message", "score": 0.9},
    "contact": {"heard": "frank", "name": "Frank", "score": 1.0, "by": "exact"},
    "confirmation": {"heard": "right", "answer": "yes"},
    "message": {"to": "Frank", "text": "he went with oak", "audio_s": 8.5},
    "deleted": {"what": ["audio"], "clips": ["dot-1", "dot-2"]},
    "action": {"name": "timer", "value": "5 minutes"},
    "blocked": {"what": "send_message", "why": "communications are off"},
    "dialog_ended": {"why": "no reply"},
    "clock_set": {"zero": "2026-01-01T00:00:00Z", "was": "1970-01-01T00:00:00Z", "step_s": 1.8e9},
    "reloaded": {"changed": ["wake.threshold"], "restart": ["audio.ring_ms"]},
    "reload_failed": {"reason": "device.yaml:3: is not YAML: it ends too soon"},
    "runs_removed": {"runs": ["000001-20260101t000000"], "bytes": 1_000_000},
    "runs_error": {"reason": "the disk is read-only"},
    "prompt_audible": {"who": "ann", "level_db_spl": 38.2, "rest_db_spl": 61.0, "heard": False},
}
"""The facts of events that others than the firmware bring."""


def show(*events: Event, terminal: bool = False) -> str:
    out = io.StringIO()
    with Timeline(Console(file=out, force_terminal=terminal, width=200, highlight=False)) as timeline:
        for event in events:
            timeline.note(event)
    return out.getvalue()


def conversation() -> list[Event]:
    """One of each of what the firmware says to people."""
    scene = Scene()
    clip = scene.turn()
    scene.say(clip, "To whom?", 3)
    scene.order("ExpectSpeech", clip, timeout_ms=160)
    scene.hear(30)
    scene.hear(1, alexa=0.4)
    scene.hear(30)
    scene.turn()
    scene.hear(30, alexa=0.9)
    scene.hear(50)
    scene.order("StopCapture")
    scene.order("SetMute", muted=True)
    return scene.events


def test_a_conversation_reads_as_a_story() -> None:
    text = show(*conversation())
    for line in (
        "0:00.08  ▲ woke on “alexa”, score 0.900 over 0.5",
        "● light: listening",
        "→ streaming clip dot-20260101t000000000000-000000000000 (wakeword)",
        "0:01.68  → capture ended by silence, 1.68 s",
        "◐ light: thinking",
        "” device says: To whom?",
        "· near miss: “alexa” 0.400 under 0.5",
        "! nobody answered the device",
        "△ heard “alexa” again (0.900) while BUSY",
        "! no answer from the far end in time",
        "! StopCapture refused: it is not for a device that is IDLE",
        "■ microphone off, nothing is kept",
        "■ light: muted",
    ):
        assert line in text, line


def test_each_kind_has_a_line_that_its_facts_fill() -> None:
    events = {str(event.kind): event for event in conversation()}
    events["audio_lost"] = Event(0, Kind.AUDIO_LOST, {"samples": 160, "end": 160, "why": "late"})
    for kind in _LINES:
        event = events.get(kind) or Event(16_000 * 61, kind, ABOUT[kind])
        assert show(event).count("\n") == 1, kind


def test_what_was_not_found_has_a_line_too() -> None:
    text = show(
        Event(5, "intent", {**ABOUT["intent"], "intent": "none"}),
        Event(5, "contact", {**ABOUT["contact"], "name": None}),
        Event(5, "confirmation", {**ABOUT["confirmation"], "answer": "unclear"}),
        Event(5, "microphone_level", {**ABOUT["microphone_level"], "advice": ["it is silent", "it is off the middle"]}),
    )
    assert "! it is silent; it is off the middle\n" in text
    for line in ("? no request in it", "? no contact in it", "? neither a yes nor a no in it"):
        assert line in text


def test_a_further_device_says_who_it_is_and_does_not_repeat_what_all_heard() -> None:
    out = io.StringIO()
    with Timeline(Console(file=out, width=200, highlight=False)) as timeline:
        other = timeline.other("kitchen")
        other(Event(5, "said", ABOUT["said"]))
        other(Event(1280, Kind.HOP, {"scores": [0.1]}))
        other(Event(5, "transcript", ABOUT["transcript"]))
    assert out.getvalue().endswith("? kitchen: sphinx made of it: “an acceptable”\n")
    assert out.getvalue().count("\n") == 1


def test_only_what_matters_is_a_line() -> None:
    assert show(Event(5, "receipt", {**ABOUT["receipt"], "complete": False})) == ""
    assert show(Event(5, "part", {}), Event(5, "state", {}), Event(5, "something_new", {})) == ""
    hops = [Event(1280 * k, Kind.HOP, {"scores": [0.1, 0.2]}) for k in range(1, 5)]
    assert show(*hops).count("\n") == 1, "that it hears, once"


def test_the_clock_counts_minutes() -> None:
    assert show(Event(16_000 * 3723, "connected")).startswith(" 62:03.00  ~ connected")


@pytest.mark.parametrize("text", ["[bold]", "[/]", "[/red] :smile:", "{x}"])
def test_what_was_said_is_shown_as_it_is(text: str) -> None:
    assert text in show(Event(5, "said", {"who": "ann", "text": text}))


def test_a_long_line_stays_one() -> None:
    assert show(Event(5, "said", {"who": "ann", "text": "so " * 300})).count("\n") == 1


def test_on_a_terminal_the_newest_scores_move() -> None:
    events = conversation()
    text = show(*events, terminal=True)
    assert "█" not in show(*events)
    assert "0.90" in text
