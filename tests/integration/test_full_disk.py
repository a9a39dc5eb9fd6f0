"""A disk that fills, for real: a small tmpfs in a mount namespace of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sim.home.mixer import mix
from sim.home.speech import load_speech
from sim.scenario import load_scenario

MISHEARD = f"{shlex.quote(sys.executable)} -m sim.main"


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kitchen as raw samples, for standard input."""
    scenario = load_scenario("kitchen-unacceptable")
    path = tmp_path_factory.mktemp("sound") / "conversation.raw"
    path.write_bytes(mix(scenario, load_speech(scenario)).samples.astype("<i2").tobytes())
    return path


def on_small_disk(folder: Path, size: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in which `folder` is a disk of this size."""
    mounted = f"mount -t tmpfs -o size={size} tmpfs {shlex.quote(str(folder))}"
    probe = subprocess.run(["unshare", "-rm", "sh", "-c", mounted], capture_output=True, text=True)
    if probe.returncode:
        reason = f"no mount namespace can be made here ({probe.stderr.strip()})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    command = ["unshare", "-rm", "sh", "-c", f"{mounted} && {script}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, env={**os.environ, "COLUMNS": "250"})


def test_a_run_directory_on_a_full_disk_is_told_and_the_clips_still_arrive(tmp_path: Path) -> None:
    ended = on_small_disk(tmp_path, "300k", f"{MISHEARD} sim kitchen-unacceptable --wire mqtt --out {tmp_path}/run")
    assert ended.returncode == 1
    assert ended.stdout.count("the clip is complete") == 2
    said = [line for line in ended.stderr.splitlines() if line.startswith("misheard:")]
    assert len(said) == 1
    assert "is not complete" in said[0]
    assert "make room" in said[0]
    assert "Traceback" not in ended.stderr


def test_a_spool_on_a_full_disk_names_what_it_could_not_keep_and_delivers_the_rest_when_there_is_room(
    tmp_path: Path, conversation: Path
) -> None:
    listen = f"{MISHEARD} device --source - --state {tmp_path}/state"
    ended = on_small_disk(
        tmp_path,
        "220k",
        f"{listen} --set uplink.drain_ms=2000 < {conversation}; echo first $?;"
        f"mount -o remount,size=20m {tmp_path}; head -c 64000 /dev/zero | {listen}; echo second $?;"
        f"cd {tmp_path}/state && {MISHEARD_SPOOL}",
    )
    assert "first 1" in ended.stdout
    assert "second 0" in ended.stdout
    assert "Traceback" not in ended.stderr
    said = [line for line in ended.stderr.splitlines() if line.startswith("misheard:")]
    assert len(said) == 1
    assert "is full; make room on it; so these were not kept:" in said[0]
    named = said[0].count(" part ")
    waiting, stored = (int(number) for number in ended.stdout.splitlines()[-1].split())
    captured = ended.stdout.count("capture ended by")
    assert captured == 2
    assert waiting == 0
    assert named + stored == PARTS


PARTS = 17
"""Of the two clips of the kitchen together, 9 and 8."""

MISHEARD_SPOOL = (
    f"{shlex.quote(sys.executable)} -c '"
    "import sqlite3, pathlib;"
    'waiting = sqlite3.connect("echo-dot/spool.sqlite").execute("select count(*) from part").fetchone()[0];'
    'print(waiting, len(list(pathlib.Path("cloud/audio").rglob("*.flac"))))'
    "'"
)
"""Prints how many parts wait in the spool and how many the store has."""
