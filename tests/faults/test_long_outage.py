"""A link that is dead for a week: its pauses, the sender's clock and the age of clips are of one simulated time."""

from __future__ import annotations

import random
import resource
import threading
from contextlib import ExitStack

import pytest

from tests.faults.clips import clip_name, parts
from tests.faults.conftest import Plan
from tests.faults.device_process import Ledger
from tests.faults.ledger import settle_up
from tests.faults.processes import Scene, wait_until
from tests.faults.proxy import Proxy
from tests.faults.table import Table
from uplink import link
from uplink.budget import Budget
from uplink.keyring import Keyring
from uplink.seal import Seal
from uplink.sender import Sender
from uplink.spool import Moment, Spool

_HOUR_S = 3600.0
_LONGEST_PAUSE_S = 30.0


class Week:
    """Simulated time: as long as all the pauses that a link took between two attempts, which are cut to nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        self.pauses = 0
        self._real = link.backoff_s
        monkeypatch.setattr(link, "backoff_s", self._pause)

    def _pause(self, attempt: int, generator: random.Random) -> float:
        pause = self._real(attempt, generator)
        assert 0 < pause <= _LONGEST_PAUSE_S
        self.seconds += pause
        self.pauses += 1
        return pause / 1e5

    def wait(self, seconds: float) -> None:
        """Wait until it is so late."""
        wait_until(lambda: self.seconds >= seconds, "an hour passes")

    def time(self) -> float:
        return self.seconds

    def now(self) -> Moment:
        return Moment(self.seconds, f"hour {self.seconds // _HOUR_S:.0f}")


@pytest.fixture
def week(monkeypatch: pytest.MonkeyPatch) -> Week:
    return Week(monkeypatch)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("broker_kind", ["mosquitto", "embedded"])
@pytest.mark.parametrize("share_kept", [4.0, 0.4])
def test_after_a_week_without_a_link_all_arrives_that_was_to_be_kept_so_long(
    scene: Scene, plan: Plan, table: Table, week: Week, share_kept: float
) -> None:
    """A clip every simulated hour; where the budget keeps them for less than the week, the older ones are named."""
    hours = plan.times(7 * 24, 12)
    hours_kept = hours * share_kept
    scene.broker()
    scene.far_end().wait_for("connected")
    with ExitStack() as stack:
        dead = stack.enter_context(Proxy(scene.port, 0.0, plan.chance))
        dead.kill()
        seal = Seal(Keyring.of_device(scene.state(), "dot"))
        path = scene.state() / "dot" / "spool.sqlite"
        spool = Spool(path, Budget(age_s=hours_kept * _HOUR_S), now=week.now)
        stack.callback(spool.close)
        sender = Sender(
            "dot",
            spool,
            f"mqtt://127.0.0.1:{dead.port}",
            seal=seal,
            on_directive=lambda _directive: None,
            on_fact=lambda _kind, _facts: None,
            clock=week.time,
        )
        stack.callback(sender.close)
        ledger = Ledger(str(scene.ledger()))
        sender.start()
        threads, peak_kb = threading.active_count(), 0
        for hour in range(1, hours + 1):
            week.wait(hour * _HOUR_S)
            for part in parts(clip_name("dot", 0, hour)):
                if sender.submit(part):
                    ledger.note(f"{part.clip} {part.number}")
            if hour == 10:
                peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert threading.active_count() <= threads
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_kb < 8 * 1024
        dead.revive()
        assert sender.drain(240.0)
        attempts = week.pauses
    account = settle_up(scene.store, [scene.ledger()], [path])
    assert account.clips == hours
    if hours_kept > hours:
        assert account.dropped == 0
    else:
        assert 0 < account.dropped <= hours - hours_kept + 1
    assert attempts >= hours * _HOUR_S / _LONGEST_PAUSE_S
    what = f"link dead for {hours} simulated hours, {attempts:,} attempts; clips are kept for {hours_kept:g} hours"
    table.add(what, scene.broker_kind, 1, account)
