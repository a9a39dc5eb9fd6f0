"""A broker that is killed at any moment, time and again, and comes back with or without what it knew."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Plan
from tests.faults.ledger import settle_up
from tests.faults.processes import Scene
from tests.faults.table import Table


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("broker_kind", ["mosquitto", "mosquitto, persistent", "embedded"])
def test_a_killed_broker_costs_no_part(scene: Scene, plan: Plan, table: Table) -> None:
    times = plan.times(50, 3)
    far_end, device = scene.far_end(), scene.device(0)
    for _ in range(times):
        broker = scene.broker()
        far_end.wait_for("connected")
        device.wait_for("up")
        if plan.chance.random() < 0.5:
            far_end.wait_for("complete")
        broker.survive(plan.chance.uniform(0, 0.3))
        broker.kill()
    scene.broker()
    far_end.wait_for("complete")
    device.survive(0)
    device.kill()
    scene.drain(1)
    account = settle_up(scene.store, [scene.ledger()])
    assert account.clips > times, account
    table.add("broker killed (SIGKILL)", scene.broker_kind, times, account)
