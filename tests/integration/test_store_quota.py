"""A far end whose store has a quota, on a real broker."""

from __future__ import annotations

from pathlib import Path

from sim.cloud.quota import Quota
from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from tests.uplink_kit import DEADLINE_S, Counter, Diary, cut, known, noise
from uplink.broker import EmbeddedBroker
from uplink.sender import Sender
from uplink.spool import Spool

PARTS = cut(noise(8_000), 1_000, begin=2**40)


def test_what_a_full_store_refuses_waits_on_the_device_and_both_are_told_once(tmp_path: Path) -> None:
    diary, device = Diary(), Diary()
    store, spool = ClipStore(tmp_path), Spool(tmp_path / "spool.sqlite")
    store.quota = quota = Quota(store.files, 1, deletes=False)
    quota.most = 1
    with (
        EmbeddedBroker() as broker,
        FarEnd(Cloud(store, Counter()), broker.url, known().far_end, on_event=diary, look_s=0.1) as far_end,
        Sender(
            "dot",
            spool,
            broker.url,
            seal=known().device,
            on_directive=lambda _directive: None,
            on_fact=device,
            resend_s=0.2,
        ) as sender,
    ):
        sender.submit(PARTS[0])
        assert sender.drain(DEADLINE_S)
        for part in PARTS[1:]:
            sender.submit(part)
        assert "deletion.keep_mb allows" in diary.wait("store_away")["reason"]
        assert not sender.drain(0.3), "nothing is receipted that is not stored"
        assert spool.summary().parts == len(PARTS) - 1
        quota.most = 1_000_000
        assert sender.drain(DEADLINE_S)
        assert diary.wait("store_back")["refused"] > 0
        assert far_end.wait_answered(DEADLINE_S)
    assert len(diary.all("store_away")) == len(diary.all("store_back")) == 1
    spool.close()
    store.close()
