from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

MEASURED = (
    "bulk scoring",
    "streaming",
    "4 words",
    "firmware, a hop, idle",
    "firmware, a hop, capturing",
    "firmware, the hop that wakes",
    "the home alone, 1 device",
    "the home alone, 4 devices, each",
    "home and firmware, 1 device",
    "home and firmware, 4 devices, each",
    "a whole play in process, no recognizer",
    "a whole play in process, PocketSphinx",
    "start of",
    "memory of",
    "live",
    "device, of one core",
    "device, memory, all its processes (PSS)",
    "device, memory, their highest (RSS)",
    "hearing with pocketsphinx",
    "hearing with vosk",
    "capture end to receipt, the embedded broker",
    "capture end to receipt, mosquitto",
    "to spool a part",
    "to settle a spooled part",
    "to store a part at the far end",
    "uplink, parts made safe",
    "uplink, a part's end to its receipt",
    "uplink, a part's end to its receipt, 99th percentile",
    "uplink, after an outage",
    "uplink, memory of the device then",
    "uplink, 20 devices, part to receipt",
    "uplink, 20 devices, part to receipt, 99th percentile",
    "evaluating, hours of sound",
    "mine, a candidate in a voice",
    "mine, 1,000 candidates in four voices, end to end",
    "fleet, stretches played",
    "fleet, width of the 95 % of false wakes",
    "ranking the dictionary",
    "rows of a sweep, tasks of nothing",
    "plays on two processes",
    *(
        f"archive, {what}, {database}{which}"
        for what in ("the next task", "a customer's page", "a customer's deletion", "the log verified")
        for database in ("SQLite", "PostgreSQL")
        for which in ("", ", 99th percentile")
    ),
    "console, 5 people, a clip in 10.8 s, next task",
    "console, 5 people, a clip in 10.8 s, sound, 99th percentile",
    "console, 5 people, no pause, submit",
)


def test_the_bench_measures_all_that_it_promises_and_prints_it(tmp_path: Path) -> None:
    figures = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json", str(figures)]
    table = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=280).stdout
    found = json.loads(figures.read_text("utf-8"))
    assert found["machine"]["processor"]
    for begin in MEASURED:
        rows = [row for row in found["rows"] if row["what"].startswith(begin) or _stands_for(row, begin)]
        assert rows, begin
        assert begin in table or rows[0]["what"] in table
        for row in rows:
            if row["remark"].startswith("skipped"):
                continue
            assert row["ours"]["median"] > 0
            ahead = row["ratio"]["median"]
            cheaper = row["theirs"]["median"] / row["ours"]["median"]
            assert ahead == cheaper or ahead == 1 / cheaper or abs(ahead * cheaper - 1) < 1e-9


def _stands_for(row: dict[str, Any], begin: str) -> bool:
    """Whether it says why several were skipped, this one among them."""
    return row["remark"].startswith("skipped") and begin.startswith(f"{row['what']}, ")
