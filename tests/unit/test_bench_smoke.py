from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

MEASURED = (
    "bulk scoring",
    "streaming",
    "4 words",
    "firmware, a hop, idle",
    "firmware, a hop, capturing",
    "firmware, the hop that wakes",
    "start of",
    "memory of",
    "live",
    "capture end to receipt, the embedded broker",
    "capture end to receipt, mosquitto",
)


def test_the_bench_measures_all_that_it_promises_and_prints_it(tmp_path: Path) -> None:
    figures = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json", str(figures)]
    table = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout
    found = json.loads(figures.read_text("utf-8"))
    assert found["machine"]["processor"]
    for begin in MEASURED:
        rows = [row for row in found["rows"] if row["what"].startswith(begin)]
        assert rows, begin
        assert begin in table
        for row in rows:
            if row["remark"].startswith("skipped"):
                continue
            assert row["ours"]["median"] > 0
            ahead = row["ratio"]["median"]
            cheaper = row["theirs"]["median"] / row["ours"]["median"]
            assert ahead == cheaper or ahead == 1 / cheaper or abs(ahead * cheaper - 1) < 1e-9
