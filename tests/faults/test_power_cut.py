"""The power goes, for real: a disk in a file, copied as it is at any moment, and mounted again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import Plan
from tests.faults.processes import ROOT


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("disk_in_a_file")
def test_what_was_said_to_be_written_is_there_whole_after_a_power_cut(plan: Plan, tmp_path: Path) -> None:
    """Keys that are replaced, parts in the spool, and run directories with their clips."""
    cuts = plan.times(300, 15)
    script = [sys.executable, "-m", "tests.faults.power_cut", str(tmp_path), str(cuts), str(plan.chance.randrange(999))]
    done = subprocess.run(
        ["unshare", "-m", *script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["cuts"] == cuts
    assert found["steps"] > 1
