"""The table of what-ifs, as it stands on the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sim.report.whatif import NAMES, Cell, Tried, read_tried, stages, verdict
from tests.report_kit import WHAT_IF, oregon, oregon_run
from tests.unit.sim.test_report import page_of, text_of


def test_the_table_shows_where_each_chain_ended(tmp_path: Path) -> None:
    tried, damaged = read_tried(WHAT_IF)
    assert damaged == 0
    ends = [[cell.look for cell in stages(row)] for row in tried if row.missing is None]
    assert ends == [
        ["on", "skip", "on", "on", "on", "on"],
        ["end", "off", "off", "off", "off", "off"],
        ["on", "end", "off", "off", "off", "off"],
        ["on", "skip", "on", "on", "end", "off"],
        ["on", "skip", "on", "end", "off", "off"],
        ["on", "skip", "on", "end", "off", "off"],
        ["on", "skip", "on", "on", "skip", "on"],
    ]
    assert verdict(tried) == (
        "With 5 of 6 changes no message was sent, with 1 of them because the device did not wake at all."
    )
    text = text_of(page_of(oregon_run(tmp_path / "run")))
    assert "What would have stopped it" in text
    assert "verifier=on the far end checks the wake word ■ ended at: second look" in text
    assert "engine=micro another engine not played not played: it needs pip install pymicro-wakeword" in text
    assert "■ ended here: communications" in text
    other = Tried(name="request", woke=True, intent="time", stopped="request")
    assert stages(other)[2] == Cell("end", "time")
    assert "threshold=0.8 a wake word must score 0.8 ■ ended at: wake ■ ended here: no ·" in text


DECIDED = st.none() | st.booleans()


@given(
    st.fixed_dictionaries(
        {
            "woke": DECIDED,
            "verified": DECIDED,
            "intent": st.sampled_from([None, "none", "time"]),
            "contact": st.sampled_from([None, "Frank"]),
            "confirmed": DECIDED,
            "sent": st.booleans(),
            "stopped": st.sampled_from(["", *NAMES, "communications"]),
        }
    )
)
def test_a_chain_ends_at_one_place_or_goes_through(facts: dict[str, Any]) -> None:
    looks = [cell.look for cell in stages(Tried(name="x", **facts))]
    assert len(looks) == 6
    if not facts["sent"]:
        assert looks.count("end") == 1
        assert set(looks[looks.index("end") + 1 :]) <= {"off"}
        assert "off" not in looks[: looks.index("end")]
    else:
        assert looks[-1] == "on"


def test_rows_that_are_damaged_are_left_out_and_told(tmp_path: Path) -> None:
    folder = oregon_run(tmp_path / "run")
    path = folder / "run.json"
    outcome = json.loads(path.read_text(encoding="utf-8"))
    outcome["what_if"] += [3, {"name": 4}, {"name": "x", "uploaded_s": -1}]
    path.write_text(json.dumps(outcome), encoding="utf-8")
    text = text_of(page_of(folder))
    assert "3 rows of the table of what-ifs are damaged." in text
    assert "verifier=on" in text


def test_without_what_ifs_there_is_no_table(tmp_path: Path) -> None:
    assert '<table class="whatif">' not in page_of(oregon().write(tmp_path / "run"))
