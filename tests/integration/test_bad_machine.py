"""A device on a disk that cannot be written, and in a time zone that there is none of."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.firmware_kit import kitchen_part
from wakeword.sound import encode_flac

DEVICE = [sys.executable, "-m", "sim.main", "device", "--pace", "fast"]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "kitchen.flac"
    path.write_bytes(encode_flac(kitchen_part()))
    return path


@pytest.mark.parametrize("what", ["--state", "--out"])
def test_a_disk_that_is_read_only_is_one_sentence(tmp_path: Path, sound: Path, what: str) -> None:
    probe = subprocess.run(["unshare", "-rm", "true"], capture_output=True, text=True)
    if probe.returncode:
        reason = f"no mount namespace can be made here ({probe.stderr.strip()})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    disk = tmp_path / "disk"
    disk.mkdir()
    other = [] if what == "--state" else ["--state", str(tmp_path / "state")]
    command = shlex.join([*DEVICE, "--source", str(sound), *other, what, str(disk / "here")])
    script = f"mount -t tmpfs -o ro tmpfs {shlex.quote(str(disk))} && {command}"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1
    assert "(Read-only file system); choose another with " + what in done.stderr


def test_a_zone_that_is_none_changes_no_time(tmp_path: Path, sound: Path) -> None:
    command = [*DEVICE, "--source", str(sound), "--state", str(tmp_path / "state"), "--out", str(tmp_path / "run")]
    before = datetime.now(UTC) - timedelta(seconds=1)
    done = subprocess.run(command, env={**os.environ, "TZ": "Nowhere/Land-11"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first = json.loads((tmp_path / "run" / "events.jsonl").read_text("utf-8").splitlines()[0])
    assert before < datetime.fromisoformat(first["utc"]) < datetime.now(UTC) + timedelta(minutes=2)
