"""A link that does everything to bytes, between a device and its broker, and between the broker and the receiver."""

from __future__ import annotations

import time

import pytest

from tests.faults.conftest import FULL, Plan
from tests.faults.ledger import settle_up
from tests.faults.processes import Scene
from tests.faults.proxy import SINS, Proxy
from tests.faults.table import Table

_LIKELY = 0.04
_STILL_S = 1.5
_RUN_S = 3600.0 if FULL else 600.0
"""How long all sins may take, which depends on how long the ends wait before each new beginning."""


@pytest.mark.timeout(2 * _RUN_S)
@pytest.mark.parametrize("broker_kind", ["mosquitto", "embedded"])
def test_links_that_sin_in_every_way_cost_no_part(scene: Scene, plan: Plan, table: Table) -> None:
    """What stands still is cut, or most of the time would be spent waiting for a ping that never comes back."""
    times = plan.times(20, 2)
    scene.broker()
    with Proxy(scene.port, _LIKELY, plan.chance) as near, Proxy(scene.port, _LIKELY, plan.chance) as far:
        scene.link_port = near.port
        far_end, device = scene.far_end(port=far.port), scene.device(0)
        end = time.monotonic() + _RUN_S
        while min(near.counts[sin] + far.counts[sin] for sin in SINS) < times and time.monotonic() < end:
            before = [link.counts["carried"] for link in (near, far)]
            device.survive(_STILL_S)
            far_end.survive(0)
            for link, carried in zip((near, far), before, strict=True):
                if link.counts["carried"] == carried:
                    link.cut()
        assert min(near.counts[sin] + far.counts[sin] for sin in SINS) >= times, (near.counts, far.counts)
        device.kill()
        near.mend()
        far.mend()
        scene.drain(1)
        sinned = near.sinned + far.sinned
    account = settle_up(scene.store, [scene.ledger()])
    assert account.clips > times, account
    table.add(f"link: {', '.join(SINS)} (segments)", scene.broker_kind, sinned, account)


@pytest.mark.timeout(1200)
@pytest.mark.skipif(not FULL, reason="a ping takes its time; in the long run")
@pytest.mark.parametrize("broker_kind", ["mosquitto", "embedded"])
def test_a_link_that_falls_silent_is_noticed_at_both_ends(scene: Scene, plan: Plan, table: Table) -> None:
    """Nobody cuts anything: both ends must find out by themselves, by their pings."""
    scene.broker()
    with Proxy(scene.port, 0.0, plan.chance) as near, Proxy(scene.port, 0.0, plan.chance) as far:
        scene.link_port = near.port
        far_end, device = scene.far_end(port=far.port), scene.device(0)
        for link in (near, far):
            far_end.wait_for("complete")
            link.swallow()
            before = link.counts["connections"]
            end = time.monotonic() + 90.0
            while link.counts["connections"] == before:
                device.survive(0.1)
                assert time.monotonic() < end, "nobody has noticed the silence"
            far_end.wait_for("connected" if link is far else "complete")
        device.kill()
        scene.drain(1)
    account = settle_up(scene.store, [scene.ledger()])
    table.add("link: silent without an end", scene.broker_kind, 2, account)
