"""A clock on the wall that jumps: nothing in the way of a part may look at it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.conftest import Plan
from tests.faults.ledger import settle_up
from tests.faults.processes import Scene
from tests.faults.table import Table

_LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime")


@pytest.fixture
def libfaketime() -> Path:
    """The library that gives processes another clock; without it the test skips, and fails in CI."""
    for folder in _LIBRARIES:
        path = Path(folder, "libfaketimeMT.so.1")
        if path.exists():
            return path
    reason = "libfaketime is not installed; on Debian: apt-get install libfaketime"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("broker_kind", ["mosquitto", "embedded"])
def test_a_clock_that_jumps_by_years_changes_nothing(
    scene: Scene, plan: Plan, table: Table, libfaketime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all processes, each at its own moment: they look into the file once a second.

    Mosquitto's clock is left alone: it measures with CLOCK_BOOTTIME, which does not jump, and here it would.
    """
    times = plan.times(50, 3)
    clock = scene.folder / "clock"
    clock.write_text("+0\n", "ascii")
    if scene.broker_kind == "mosquitto":
        scene.broker()
    for name, value in {
        "LD_PRELOAD": str(libfaketime),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }.items():
        monkeypatch.setenv(name, value)
    if scene.broker_kind == "embedded":
        scene.broker()
    far_end = scene.far_end()
    far_end.wait_for("connected")
    device = scene.device(0)
    for _ in range(times):
        new = clock.with_suffix(".new")
        new.write_text(f"{plan.chance.choice('+-')}{plan.chance.randrange(1, 4000)}d\n", "ascii")
        new.replace(clock)
        device.survive(plan.chance.uniform(1.0, 1.3))
        far_end.wait_for("complete")
    device.kill()
    monkeypatch.delenv("LD_PRELOAD")  # it makes Python's threads spin
    scene.drain(1)
    account = settle_up(scene.store, [scene.ledger()])
    assert account.clips > times, account
    table.add("clock on the wall jumps, by up to eleven years", scene.broker_kind, times, account)
