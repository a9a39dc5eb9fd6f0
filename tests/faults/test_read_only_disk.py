"""A disk that turns read-only while a device runs, for real: an ext4 in a file, told to treat itself as faulty."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from tests.faults.processes import ROOT
from tests.firmware_kit import kitchen_part
from tests.uplink_kit import Counter, Diary, Keys
from uplink.broker import EmbeddedBroker

DEVICE = [sys.executable, "-m", "sim.main", "device"]


@pytest.mark.usefixtures("disk_in_a_file")
def test_a_device_listens_on_while_its_disk_is_read_only_says_so_once_and_loses_no_clip(
    tmp_path: Path,
) -> None:
    disk, image, sound = tmp_path / "disk", tmp_path / "image", tmp_path / "kitchen.raw"
    disk.mkdir()
    sound.write_bytes(kitchen_part().astype("<i2").tobytes())
    with image.open("wb") as file:
        file.truncate(24_000_000)
    keys = Keys(tmp_path / "state", "echo-dot")
    store = ClipStore(tmp_path / "cloud")
    with EmbeddedBroker() as broker, FarEnd(Cloud(store, Counter()), broker.url, keys.far_end, on_event=Diary()):
        here = shlex.quote(str(disk))
        places = ("--broker", broker.url, "--state", f"{disk}/state", "--out", f"{disk}/run")
        device = shlex.join([*DEVICE, "--source", "-", "--log", "journal", *places])
        script = f"""
            mkfs.ext4 -q {image} && mount -o loop {image} {here} && cp -a {here}/../state {here} || exit 9
            {{ head -c 64000 /dev/zero; read go; mount -o remount,abort {here}; cat {sound}; }} | {device}
        """
        with subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            assert running.stdin is not None
            assert running.stdout is not None
            for line in running.stdout:
                if "connected" in line:
                    break
            running.stdin.write("go\n")
            running.stdin.flush()
            said, errors = running.communicate()
    kept = [clip.complete for clip in store.clips()]
    store.close()
    assert running.returncode == 1, errors
    woke = said.count("<5>wake ")
    assert said.count(">capture_end ") == woke >= 1
    (told,) = [line for line in said.splitlines() if ">spool_error " in line]
    assert "has become read-only" in told
    assert kept == [True] * woke, "they went out of memory"
    (last,) = errors.splitlines()
    assert last.startswith("misheard: the run directory")
