"""Whatever stands in a run directory, a page and a picture are drawn, and none of it becomes markup."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.report import write_figure
from tests.report_kit import oregon_run, woken
from tests.unit.sim.test_report import EVIL, page_of

KINDS = (
    "said", "prompt", "prompt_end", "prompt_audible", "verified", "arbitrated", "transcript", "intent", "contact",
    "confirmation", "message", "deleted", "action", "blocked", "dialog_ended", "wake", "capture_begin", "capture_end",
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.just(EVIL),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
FACTS = (
    "who", "text", "begin", "end", "to", "words", "clip", "prompt", "device", "level_db_spl", "share", "passed",
    "score",
    "threshold", "winner", "of", "alternatives", "intent", "phrase", "slots", "heard", "name", "candidates", "by",
    "answer", "audio_s", "clips", "what", "kept", "value", "why", "samples", "heard_whole", "template", "method",
    "word_begin", "word_end", "initiator", "reason", "nearest", "needed", "means",
)  # fmt: skip


def spoil(tmp_path: Path, data: st.DataObject) -> Path:
    """A run in which one fact of each of some events is replaced by anything that JSON can say."""
    folder = tmp_path / "run"
    if not folder.exists():
        oregon_run(folder)
        (folder / "whole.jsonl").write_bytes((folder / "events.jsonl").read_bytes())
    lines = [json.loads(line) for line in (folder / "whole.jsonl").read_text(encoding="utf-8").splitlines()]
    told = [line for line in lines if line["kind"] in KINDS]
    for place in data.draw(st.lists(st.integers(0, len(told) - 1), min_size=1, max_size=5)):
        told[place][data.draw(st.sampled_from(FACTS))] = data.draw(VALUES)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "events.jsonl").write_text(text, encoding="utf-8", newline="\n")
    return folder


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_fact_of_any_form_keeps_the_page_from_being_drawn(tmp_path: Path, data: st.DataObject) -> None:
    folder = spoil(tmp_path, data)
    page = page_of(folder)
    assert page.lower().count("<script") == page.lower().count("</script") == 2
    assert "<img" not in page.lower()


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_fact_of_any_form_keeps_the_picture_from_being_drawn(tmp_path: Path, data: st.DataObject) -> None:
    folder = spoil(tmp_path, data)
    write_figure(folder, tmp_path / "a.svg")


@pytest.mark.parametrize("value", ["1e999", "NaN", "9" * 400, '"\\ud800"'])
def test_no_number_or_letter_that_cannot_be_written_keeps_the_page_from_it(tmp_path: Path, value: str) -> None:
    folder = oregon_run(tmp_path / "run")
    events = (folder / "events.jsonl").read_text(encoding="utf-8")
    for old in ("0.53", '"Frank"', "38.2", "0.71", "12.25"):
        assert old in events
        events = events.replace(old, value)
    (folder / "events.jsonl").write_text(events, encoding="utf-8")
    assert "12.2" in page_of(folder)
    write_figure(folder, tmp_path / "a.svg")


def test_nothing_that_was_taken_for_something_becomes_markup(tmp_path: Path) -> None:
    home, clip = woken()
    home.tell(140_000, "contact", clip=clip, heard=EVIL, name=EVIL, score=0.7, by=EVIL, candidates=[[EVIL, 0.5]])
    home.tell(140_000, "message", clip=clip, to=EVIL, text=EVIL)
    home.prompt(150_000, EVIL, (EVIL, 30.0, 60.0, 0.0, False))
    page = page_of(home.write(tmp_path / "run"))
    assert page.count(EVIL) == 0
    assert unescape(page).count(EVIL) > 5
