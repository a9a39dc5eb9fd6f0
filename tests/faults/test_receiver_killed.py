"""A receiver that is killed at any moment, time and again, while a device submits as fast as it can."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Plan
from tests.faults.ledger import settle_up
from tests.faults.processes import Scene
from tests.faults.table import Table


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("broker_kind", ["mosquitto", "embedded"])
def test_a_killed_receiver_has_stored_what_it_receipted(scene: Scene, plan: Plan, table: Table) -> None:
    times = plan.times(50, 3)
    scene.broker()
    device = scene.device(0)
    device.wait_for("begun")
    for _ in range(times):
        far_end = scene.far_end()
        if plan.chance.random() < 0.9:
            far_end.wait_for("complete")
        far_end.survive(plan.chance.uniform(0, 0.5))
        far_end.kill()
    far_end = scene.far_end()
    far_end.wait_for("complete")
    device.survive(0)
    device.kill()
    scene.drain(1)
    account = settle_up(scene.store, [scene.ledger()])
    assert account.clips > times, account
    table.add("receiver killed (SIGKILL)", scene.broker_kind, times, account)


@pytest.mark.timeout(1800)
def test_receivers_that_share_the_work_and_are_killed_in_turn_lose_nothing(
    scene: Scene, plan: Plan, table: Table
) -> None:
    """Three of them, on one store; what a broker has handed to one that is dead is handed to nobody else."""
    times = plan.times(50, 4)
    scene.broker()
    receivers = [scene.far_end(share="all") for _ in range(3)]
    for receiver in receivers:
        receiver.wait_for("connected")
    device = scene.device(0)
    device.wait_for("begun")
    for _ in range(times):
        at = plan.chance.randrange(len(receivers))
        receivers[at].survive(plan.chance.uniform(0, 0.5))
        receivers[at].kill()
        receivers[at] = scene.far_end(share="all")
        receivers[at].wait_for("connected")
    device.kill()
    scene.drain(1)
    account = settle_up(scene.store, [scene.ledger()])
    assert account.clips > times, account
    table.add("one of three receivers killed (SIGKILL)", scene.broker_kind, times, account)
