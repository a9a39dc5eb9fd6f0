"""A disk that fills, for real: a small tmpfs in a mount namespace of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from sim.home.overhear import overhear
from sim.scenario import load_scenario
from tests.uplink_kit import Counter, Diary, Keys
from uplink.broker import EmbeddedBroker

MISHEARD = f"{shlex.quote(sys.executable)} -m sim.main"


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kitchen as raw samples, for standard input."""
    path = tmp_path_factory.mktemp("sound") / "conversation.raw"
    path.write_bytes(overhear(load_scenario("kitchen-unacceptable")).samples.astype("<i2").tobytes())
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
    woke = ended.stdout.count("woke on")
    assert ended.stdout.count("the clip is complete") == woke >= 2
    said = [line for line in ended.stderr.splitlines() if line.startswith("misheard:")]
    assert len(said) == 1
    assert "is not complete" in said[0]
    assert "make room" in said[0]
    assert "Traceback" not in ended.stderr


FULL = """
import os, pathlib, random, subprocess, sys
from tests.spool_kit import clip_id, content, row
from uplink.budget import Budget
from uplink.spool import Spool

folder = pathlib.Path(sys.argv[1])
spool = Spool(folder / "spool.sqlite", Budget(policy=sys.argv[2]))

def fill_the_disk(name, block):
    subprocess.run(["dd", "if=/dev/urandom", f"of={folder / name}", f"bs={block}"], stderr=subprocess.DEVNULL)

put = 0
for clip in range(40):
    if clip == 10:
        fill_the_disk("first", 4096)
    for number in range(10):
        put += 1
        spool.put(*row(clip_id(clip), number, 15_000 + 1_000 * number), last=number == 9, priority=clip % 7)
rows = content(spool)
assert all(one == row(one[0], one[1], 15_000 + 1_000 * one[1]) for one in rows)
clips = {one[0] for one in rows}
assert len(rows) == 10 * len(clips)
drops = spool.drops()
assert {drop.why for drop in drops} == {"disk_full"}
assert not clips & {drop.clip for drop in drops}
assert put == len(rows) + sum(drop.parts for drop in drops)
fill_the_disk("second", 512)
assert os.statvfs(folder).f_bavail == 0
spool.close()
fill_the_disk("third", 512)
spool = Spool(folder / "spool.sqlite")  # opens without any room
spool.remember("serial", "7")
while waiting := content(spool)[:7]:
    assert spool.settle(one[:3] for one in waiting) == {one[:2] for one in waiting}
assert spool.put(*row("dot-new", 0, 100_000))
assert spool.recall("serial") == "7"
spool.close()
print(*sorted(int(clip[-3:]) for clip in clips))
"""


@pytest.mark.parametrize("policy", ["refuse_new", "drop_oldest", "drop_unverified_first"])
def test_on_a_full_disk_a_spool_drops_whole_clips_by_its_policy_and_can_always_forget(
    tmp_path: Path, policy: str
) -> None:
    ended = on_small_disk(tmp_path, "8m", f"{shlex.quote(sys.executable)} -c {shlex.quote(FULL)} {tmp_path} {policy}")
    assert ended.returncode == 0, ended.stderr
    left = [int(word) for word in ended.stdout.split()]
    assert len(left) >= 10
    if policy == "refuse_new":
        assert left == list(range(len(left)))
    elif policy == "drop_oldest":
        assert left == list(range(40 - len(left), 40))
    else:
        assert {clip % 7 for clip in left if clip < 39} >= {5, 6}
        assert 0 not in {clip % 7 for clip in left if clip < 39}


def test_a_device_on_a_full_disk_names_what_it_had_to_drop_and_goes_on_when_there_is_room(
    tmp_path: Path, conversation: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    keys = Keys(tmp_path, "echo-dot")
    store = ClipStore(tmp_path / "cloud")
    with EmbeddedBroker() as broker, FarEnd(Cloud(store, Counter()), broker.url, keys.far_end, on_event=Diary()):
        listen = f"{MISHEARD} device --source - --state {disk}/state --broker {broker.url}"
        ended = on_small_disk(
            disk,
            "6m",
            f"mkdir {disk}/state; cp -a {tmp_path}/echo-dot {disk}/state; "
            f"head -c 64000 /dev/zero | {listen}; dd if=/dev/urandom of={disk}/ballast bs=512;"
            f"{listen} < {conversation}; echo first $?;"
            f"rm {disk}/ballast; {listen} < {conversation}; echo second $?",
        )
    assert "first 1" in ended.stdout
    assert "second 0" in ended.stdout
    assert "Traceback" not in ended.stderr
    (said,) = [line for line in ended.stderr.splitlines() if line.startswith("misheard:")]
    assert said.startswith("misheard: these clips had to be dropped: echo-dot-")
    assert said.count("(disk full)") == 2
    assert [clip.complete for clip in store.clips()] == [True, True]
    store.close()
