"""A receiver that is slower than its devices for long: what the broker cannot hold for it, the broker drops."""

from __future__ import annotations

import signal
import threading

import pytest

from tests.faults.conftest import Plan
from tests.faults.ledger import settle_up
from tests.faults.processes import Scene, wait_until
from tests.faults.table import Table
from uplink.link import Link

_DROPPED = "$SYS/broker/publish/messages/dropped"


class Toll:
    """How many messages the broker says that it has dropped."""

    def __init__(self, url: str) -> None:
        self.dropped = 0
        self._up = threading.Event()
        self._link = Link(
            url,
            "toll",
            topics=[_DROPPED],
            on_message=self._hear,
            on_up=self._up.set,
            on_down=lambda _reason: None,
        )
        self._link.open(strict=True)

    def _hear(self, _topic: str, payload: bytes) -> None:
        self.dropped = int(payload)

    def close(self) -> None:
        self._link.close()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("broker_kind", ["mosquitto", "embedded"])
def test_what_a_broker_drops_for_a_slow_receiver_is_sent_again(scene: Scene, plan: Plan, table: Table) -> None:
    """The receiver is stopped (SIGSTOP) most of the time, while three devices send; Mosquitto holds ten messages."""
    times = plan.times(50, 3)
    names = ("dot", "spot", "show")
    for name in names[1:]:
        scene.know(name, name)
    owners = dict(zip(names, ("home", *names[1:]), strict=True))
    scene.broker_lines = ("max_queued_messages 5", "max_inflight_messages 5", "sys_interval 1")
    scene.broker()
    toll = Toll(f"mqtt://127.0.0.1:{scene.port}") if scene.broker_kind != "embedded" else None
    far_end = scene.far_end()
    far_end.wait_for("connected")
    devices = [
        scene.device(0, device=name, owner=owner, backlog=plan.times(400, 100)) for name, owner in owners.items()
    ]
    for _ in range(times):
        far_end.send(signal.SIGSTOP)
        for device in devices:
            device.survive(plan.chance.uniform(0.1, 0.4))
        far_end.send(signal.SIGCONT)
        far_end.wait_for("complete")
    if toll is not None:
        wait_until(lambda: toll.dropped > times, "the broker drops messages")
        toll.close()
    for device in devices:
        device.kill()
    for name, owner in owners.items():
        scene.drain(1, device=name, owner=owner, deadline_s=400.0)
    account = settle_up(scene.store, [scene.ledger(owner) for owner in owners.values()])
    assert account.clips > times, account
    table.add("receiver stopped (SIGSTOP), the broker's queue overflows", scene.broker_kind, times, account)
