"""A device that is killed at any moment, time and again, while it submits as fast as it can."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Plan
from tests.faults.ledger import settle_up
from tests.faults.processes import Scene
from tests.faults.table import Table


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("broker_kind", ["mosquitto", "embedded"])
def test_what_a_killed_device_had_taken_over_arrives(scene: Scene, plan: Plan, table: Table) -> None:
    times = plan.times(200, 6)
    scene.broker()
    far_end = scene.far_end()
    far_end.wait_for("connected")
    for life in range(times):
        device = scene.device(life, together=life % 2 == 1)
        if plan.chance.random() < 0.9:
            device.wait_for("begun")
        device.survive(plan.chance.uniform(0, 0.4))
        device.kill()
    scene.drain(times)
    account = settle_up(scene.store, [scene.ledger()])
    assert account.parts > 5 * times, account
    table.add("device killed (SIGKILL)", scene.broker_kind, times, account)
