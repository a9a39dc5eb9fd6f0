"""Two devices with one name: a card that was copied, and one that only says that it is the other."""

from __future__ import annotations

import shutil

import pytest

from tests.faults.conftest import Plan
from tests.faults.ledger import Taken, settle_up
from tests.faults.processes import Scene
from tests.faults.table import Table
from uplink.keyring import FAR_END, Keyring
from uplink.spool import Spool


@pytest.mark.timeout(1200)
def test_a_device_and_its_copy_throw_each_other_out_and_lose_nothing(scene: Scene, plan: Plan, table: Table) -> None:
    """The copy has keys and spool of the first, with what waits in it; the broker lets in one of a name at a time.

    Not so amqtt, which leaves the first connected and deaf; but the embedded broker has the one device of its program.
    """
    clips = plan.times(200, 10)
    first = scene.device(0, backlog=10**6)
    first.wait_for("begun")
    first.survive(0.3)
    first.kill()
    shutil.copytree(scene.state(), scene.state("copy"))
    scene.broker()
    scene.far_end().wait_for("connected")
    both = [scene.device(life, owner=owner, clips=clips, drain_s=400.0) for life, owner in ((1, "home"), (2, "copy"))]
    for device in both:
        device.wait_for("done", 410.0)
        assert device.finish() == 0
    account = settle_up(scene.store, [scene.ledger(), scene.ledger("copy")])
    assert account.clips >= 2 * clips, account
    table.add("a second device of the same name, with the same keys and spool", scene.broker_kind, 1, account)


@pytest.mark.parametrize("broker_kind", ["mosquitto", "embedded"])
def test_an_impostor_stores_nothing_and_takes_nothing_away(scene: Scene, plan: Plan, table: Table) -> None:
    """It has the name and a key of its own; what it sends is refused, and stays with it."""
    clips = plan.times(100, 5)
    impostor = Keyring.of_device(scene.state("impostor"), "dot")
    impostor.make()
    far_end_key = Keyring.of_device(scene.state(), "dot").trusted(FAR_END)
    assert far_end_key is not None
    impostor.trust(far_end_key)
    scene.broker()
    far_end = scene.far_end()
    far_end.wait_for("connected")
    false = scene.device(9, owner="impostor", clips=clips)
    far_end.wait_for("bad signature")
    scene.device(0, clips=clips, drain_s=400.0).wait_for("done", 410.0)
    false.kill()
    account = settle_up(scene.store, [scene.ledger()])
    assert (account.clips, account.beyond) == (clips, 0), account
    spool = Spool(scene.state("impostor") / "dot" / "spool.sqlite", guest=True)
    assert set(spool.waiting()) >= Taken.read([scene.ledger("impostor")]).parts
    spool.close()
    table.add("a second device of the same name, with another key", scene.broker_kind, 1, account)
