"""A deletion that another program ordered reaches the devices' spools, and what the far end has in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sim.cloud.order import Order
from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from tests.uplink_kit import DEADLINE_S, Counter, Diary, cut, known, noise
from uplink.broker import EmbeddedBroker
from uplink.message import Directive
from uplink.sender import Sender
from uplink.spool import Spool

PARTS = cut(noise(4_000), 1_000)
CLIP = PARTS[0].clip
NOW = datetime(2026, 1, 1, 1, tzinfo=UTC)


def test_the_device_is_told_and_says_that_it_forgot(tmp_path: Path) -> None:
    store, console = ClipStore(tmp_path / "cloud"), ClipStore(tmp_path / "cloud")
    diary, forgot = Diary(), Diary()
    spool = Spool(tmp_path / "spool.sqlite", on_fact=lambda kind, facts: forgot(kind, facts))

    def obey(directive: Directive) -> None:
        assert directive.clip is not None
        sender.forget(directive.clip)
        sender.tell({"kind": "delete_clip", "clip": directive.clip})

    cloud = Cloud(store, Counter())
    with EmbeddedBroker() as broker:
        sender = Sender(
            "dot", spool, broker.url, seal=known().device, on_directive=obey, on_fact=lambda *_: None, resend_s=0.1
        )
        with FarEnd(cloud, broker.url, known().far_end, on_event=diary, look_s=0.05) as far_end, sender:
            diary.wait("connected")
            sender.submit(PARTS[0])
            diary.wait("stored")
            assert sender.drain(DEADLINE_S)
            number = store.customers.of_device("dot").number
            order = Order("customer", "Ann", "clip", NOW, number, clip=CLIP)
            console.delete(order)
            assert "spools" in [each.place for each in console.deletions.places(order.id)]
            while diary.wait("event")["facts"].get("kind") != "delete_clip":
                pass
            assert far_end.wait_answered(DEADLINE_S)
            places = {each.place: each.state for each in console.deletions.places(order.id)}
            assert places["spools"] == "done"
            assert store.deletions.untold() == []
            # What the device sends of it all the same is receipted, and kept nowhere.
            for part in PARTS[1:]:
                sender.submit(part)
            assert sender.drain(DEADLINE_S)
            assert far_end.wait_answered(DEADLINE_S)
        assert store.clip(CLIP) is None
        assert list((tmp_path / "cloud" / "audio").rglob("*.flac")) == []
        cloud.tidy()
        assert cloud._hearings.clips == []
    spool.close()
    console.close()
    store.close()


def test_a_device_that_was_away_is_told_again(tmp_path: Path) -> None:
    store = ClipStore(tmp_path / "cloud")
    store.add(PARTS[0])
    number = store.customers.of_device("dot").number
    store.delete(Order("customer", "Ann", "clip", NOW, number, clip=CLIP))
    assert store.deletions.untold() == [("dot", CLIP)]
    store.deletions.told([CLIP])
    assert store.deletions.untold() == []
    store.deletions.tell_again("lamp")
    assert store.deletions.untold() == []
    store.deletions.tell_again("dot")
    assert store.deletions.untold() == [("dot", CLIP)]
    store.deletions.forgotten("lamp", CLIP)  # which is not its own
    assert store.deletions.untold() == [("dot", CLIP)]
    store.deletions.forgotten("dot", CLIP)
    store.deletions.tell_again("dot")
    assert store.deletions.untold() == []
    store.close()
