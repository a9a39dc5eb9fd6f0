"""A disk that is full, for real: a small tmpfs in a mount namespace, under a device's spool and under the store."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.conftest import Plan
from tests.faults.ledger import Taken, settle_up
from tests.faults.processes import Running, Scene, device_command, wait_until
from tests.faults.table import Table


def on_small_disk(scene: Scene, folder: Path, size: str, command: Sequence[str]) -> Running:
    """Run a command while this folder is a disk of this size, with what was in the folder on it.

    To be told "grow" (to 60 MB), and then "end": then it kills the command, where it still runs, and brings what is on
    the disk back into the folder, and says "ended".
    """
    disk = shlex.quote(str(folder))
    script = f"""
        set -e
        mkdir {disk}.disk; cp -a {disk}/. {disk}.disk
        mount -t tmpfs -o mode=700,size={size} tmpfs {disk}
        cp -a {disk}.disk/. {disk}
        {shlex.join(command)} &
        read grow; mount -o remount,size=60m {disk}
        read end; kill -9 $! || true; wait $! || true
        cp -a {disk}/. {disk}.disk; umount {disk}; cp -a {disk}.disk/. {disk}
        echo ended
    """
    return scene.start(["unshare", "-rm", "sh", "-c", script], folder.name)


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("broker_kind", ["mosquitto", "embedded"])
def test_a_full_disk_under_the_spool_costs_only_what_is_named(scene: Scene, plan: Plan, table: Table) -> None:
    """The device submits until the disk is full, and goes on; then the far end comes, and the disk stays small."""
    clips = plan.times(2000, 150)
    orders = scene.orders(0, clips=clips, drain_s=480.0, backlog=10**6)
    device = on_small_disk(scene, scene.state(), "3000k", device_command(orders))
    wait_until(lambda: any(kind == "dropped" for kind, _ in Taken.read([scene.ledger()]).facts), "the disk is full")
    scene.broker()
    scene.far_end().wait_for("connected")
    device.wait_for("done", 500.0)
    device.say("grow")
    device.say("end")
    device.wait_for("ended")
    account = settle_up(scene.store, [scene.ledger()], [scene.state() / "dot" / "spool.sqlite"])
    assert account.dropped > 0
    table.add("disk under the spool full", scene.broker_kind, 1, account)


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("broker_kind", ["mosquitto", "embedded"])
def test_a_full_disk_under_the_store_costs_time_and_nothing_else(scene: Scene, plan: Plan, table: Table) -> None:
    """What cannot be stored is not receipted, and stays on the device until there is room."""
    scene.broker()
    far_end = on_small_disk(scene, scene.store, "700k", scene.far_end_command())
    far_end.wait_for("connected")
    device = scene.device(0, backlog=plan.times(1000, 100))
    far_end.wait_for("store_away")
    device.survive(1.0)
    device.kill()
    far_end.say("grow")
    scene.drain(1, deadline_s=400.0)
    far_end.wait_for("store_back")
    far_end.say("end")
    far_end.wait_for("ended")
    account = settle_up(scene.store, [scene.ledger()])
    assert account.dropped == 0
    table.add("disk under the store full", scene.broker_kind, 1, account)
