"""A deletion whose program is killed in the middle of it ends with the next one that opens the store."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sim.cloud.order import Order
from tests.erasure_cases import ANN, NOW, Archive
from tests.uplink_kit import DEADLINE_S

# Stops where it is told to, says so, and waits for its end.
PROGRAM = """
import sys
from datetime import datetime
from pathlib import Path
from sim.cloud import deletions
from sim.cloud.order import Order
from sim.cloud.store import ClipStore

folder, at, step = sys.argv[1:]

def stop(*_):
    print("here", flush=True)
    sys.stdin.read()

store = ClipStore(folder)
if step == "keys":
    store.vault.destroy = stop
elif step == "files":
    store.files.erase_all = stop
elif step == "exports":
    deletions.remove_files = stop
elif step == "memory":
    store.deletions.on_gone.append(stop)
else:
    store.database.scrub = stop
store.delete(Order("customer", "Ann", "all", datetime.fromisoformat(at), "A0000000001"))
"""


@pytest.mark.parametrize("step", ["keys", "files", "exports", "memory", "pages"])
def test_it_ends_with_the_next_start(step: str, tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for device in ("dot", "lamp"):
        archive.everything(archive.clip(device=device))
    archive.close()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "store"), NOW.isoformat(), step],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"here\n"
        program.kill()
        assert program.wait(DEADLINE_S) == -signal.SIGKILL
    order = Order("customer", "Ann", "all", NOW, ANN)
    archive.store = archive.open()
    places = archive.places(order.id)
    assert "waiting" not in {state for name, (state, _) in places.items() if name != "spools"}
    assert {places[name] for name in ("audio", "messages", "exports")} == {("done", 2)}
    assert places["keys"] == ("done", 1)
    assert archive.left() == []
    archive.close()
