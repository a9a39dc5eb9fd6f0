"""Lines for a log that others read too."""

from __future__ import annotations

import io

from device.events import Event, Kind
from device.journal import JournalLog, line_of
from tests.unit.device.test_timeline import ABOUT, conversation

SECRETS = ("to whom", "frank", "oak", "timer", "right", "no reply")
"""Words of people in these events, or what was made of them."""


def test_each_event_is_one_line_with_its_priority_and_facts() -> None:
    out = io.StringIO()
    log = JournalLog(out)
    for event in conversation():
        log.note(event)
    lines = out.getvalue().splitlines()
    assert not any("hop" in line.split(" ")[0] for line in lines)
    assert "<5>wake sample=1280 word=alexa score=0.9 threshold=0.5 warming_up=false" in lines
    assert "<4>thinking_timed_out " in "\n".join(lines)


def test_no_word_that_was_said_or_made_of_it_gets_into_the_log() -> None:
    out = io.StringIO()
    log = JournalLog(out)
    for event in (*conversation(), *(Event(5, kind, facts) for kind, facts in ABOUT.items())):
        log.note(event)
    text = out.getvalue().casefold()
    assert text.count("\n") > len(ABOUT)
    for secret in SECRETS:
        assert secret not in text.replace('why="no reply"', ""), secret


def test_a_value_that_would_break_its_line_is_quoted() -> None:
    assert line_of("spool_error", {"reason": 'a "disk"\nis gone'}) == '<3>spool_error reason="a \\"disk\\"\\nis gone"'
    assert line_of("reloaded", {"changed": ["wake.threshold"]}) == '<5>reloaded changed="[\\"wake.threshold\\"]"'
    assert line_of("x", {"score": 0.123456, "muted": True, "text": "secret", "word": ""}) == (
        '<6>x score=0.1235 muted=true word=""'
    )


def test_a_log_that_takes_nothing_costs_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(5, "gone")

    JournalLog(Gone()).note(Event(0, Kind.MUTE, {"muted": True}))
