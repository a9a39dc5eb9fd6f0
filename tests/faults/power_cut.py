"""A power cut, as a disk sees it: what had not been written out is gone. To be run as root in a mount namespace.

A writer works on an ext4 of its own, in a file. Again and again it is stopped wherever it is, the file is copied, and
the copy is mounted as after a power cut and looked at. The journal is written out only when somebody waits for it, so
that nothing lies on the disk by luck. It prints how many cuts there were, and what was found wrong.

power_cut.py FOLDER CUTS SEED
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import numpy as np

from device.events import Event, Kind
from device.rundir import RunDirectory
from tests.firmware_kit import STREAM
from uplink.keyring import Keyring
from uplink.spool import Spool
from wakeword.sound import read_sound

_SIZE_MB = 24
_MOUNT = "loop,commit=600,data=ordered"


def write(disk: Path, ledger: int) -> None:
    """Work without end; a line of the ledger is written when the work before it must outlast anything."""
    keys = Keyring(disk / "keys", "device", "dot")
    keys.make()
    spool = Spool(disk / "spool" / "spool.sqlite")
    for k in count():
        keys.rotate()
        spool.put(f"dot-{k}", 0, "d", bytes(2_000), last=True)
        run = RunDirectory(disk / "runs" / f"{k % 20}", STREAM, ("alexa",))
        clip = f"dot-{k:012d}"
        run.note(Event(0, Kind.CAPTURE_BEGIN, {"clip": clip, "begin": 0, "initiator": "wakeword"}))
        run.note(Event(0, Kind.PART, {"clip": clip, "number": 0}, np.full(1_000, k % 999, np.int16)))
        run.note(Event(1280, Kind.HOP, {"scores": [0.5]}))
        run.note(Event(1280, Kind.CAPTURE_END, {"clip": clip, "begin": 0, "end": 1_000, "reason": "silence"}))
        run.close({"k": k})
        os.write(ledger, f"{k} {keys.own().fingerprint}\n".encode())


def wrong(disk: Path, last: int, fingerprint: str) -> list[str]:
    """Look at a disk after a cut; `last` is the work that must be whole, with the key of that moment."""
    found = []
    keys = Keyring(disk / "keys", "device", "dot")
    if keys.own_of(fingerprint) is None:  # it may be replaced by now, and then lies among the old
        found.append(f"the key of step {last} is gone")
    for path in (disk / "keys").rglob("*.key"):
        json.loads(path.read_text())
    spool = Spool(disk / "spool" / "spool.sqlite", on_fact=lambda kind, facts: found.append(f"{kind} {facts}"))
    if {f"dot-{k}" for k in range(last + 1)} - {clip for clip, _ in spool.waiting()}:
        found.append("the spool has lost a part")
    spool.close()
    there = {}
    for run in (disk / "runs").iterdir():
        if (run / "run.json").exists():
            k = json.loads((run / "run.json").read_text())["manifest"]["k"]
            there[k] = run
            (clip,) = run.glob("clips/*.flac")
            if not (read_sound(clip) == k % 999).all() or np.load(run / "scores.npy").tolist() != [[0.5]]:
                found.append(f"run {k} is not whole")
            if f"dot-{k:012d}.flac" not in (run / "clips" / "metadata.csv").read_text():
                found.append(f"run {k} does not name its clip")
            if len((run / "events.jsonl").read_text().splitlines()) != 3:
                found.append(f"run {k} has lost events")
    if last not in there:
        found.append(f"run {last} is gone")
    return found


def main(folder: Path, cuts: int, seed: int) -> None:
    """Cut so often, and print what was wrong."""
    chance, image, disk = random.Random(seed), folder / "image", folder / "disk"
    copy, after, ledger = folder / "copy", folder / "after", folder / "ledger"
    with image.open("wb") as file:
        file.truncate(_SIZE_MB * 1_000_000)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    for place in (disk, after):
        place.mkdir()
    subprocess.run(["mount", "-o", _MOUNT, image, disk], check=True)
    writer = os.fork()
    if writer == 0:
        write(disk, os.open(ledger, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
    found, done = [], 0
    try:
        while done < cuts:
            time.sleep(chance.uniform(0.005, 0.06))
            os.kill(writer, signal.SIGSTOP)
            os.waitpid(writer, os.WUNTRACED)
            lines = ledger.read_text().splitlines() if ledger.exists() else []
            if lines:
                shutil.copyfile(image, copy)
                subprocess.run(["mount", "-o", "loop", copy, after], check=True)
                last, fingerprint = lines[-1].split()
                try:
                    found += wrong(after, int(last), fingerprint)
                except Exception as error:  # noqa: BLE001 - whatever a torn file leads to is what is looked for
                    found.append(repr(error))
                subprocess.run(["umount", after], check=True)
                done += 1
            os.kill(writer, signal.SIGCONT)
    finally:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
    print(json.dumps({"cuts": done, "steps": len(ledger.read_text().splitlines()), "wrong": found[:10]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
