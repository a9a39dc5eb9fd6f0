"""The sender when its disk fails, its callbacks fail, or it is used too early; delivery is tested elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.uplink_kit import DEADLINE_S, Diary, cut, free_port, known, noise
from uplink.broker import EmbeddedBroker
from uplink.errors import AddressError, LinkError, MessageError, SpoolError, UplinkError
from uplink.message import Part, Receipt
from uplink.receiver import Receiver
from uplink.sender import Sender
from uplink.spool import Spool, Spooled

PARTS = cut(noise(4_000), 1_000)


def ignore(*_: object) -> None:
    pass


def submit_and_drain(sender: Sender) -> bool:
    for part in PARTS:
        sender.submit(part)
    return sender.drain(DEADLINE_S)


class Bumpy(Spool):
    """A spool on a disk that fails once at reading, and once at settling."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.bumps = {"get", "settle"}

    def _bump(self, name: str) -> None:
        if name in self.bumps:
            self.bumps.discard(name)
            raise SpoolError(f"{name} fails")

    def get(self, clip: str, number: int) -> Spooled | None:
        self._bump("get")
        return super().get(clip, number)

    def settle(self, receipts: Iterable[tuple[str, int, str]]) -> set[tuple[str, int]]:
        self._bump("settle")
        return super().settle(receipts)


@pytest.fixture
def far_end() -> Iterator[str]:
    """A broker behind which everything is receipted at once; gives its URL."""

    def receipt(part: Part) -> None:
        receiver.publish_receipts([Receipt(part.device, part.clip, part.number, str(part.sealed), part.last)])

    with EmbeddedBroker() as broker:
        receiver = Receiver(
            broker.url,
            seal=known().far_end,
            next_serial=time.time_ns,
            on_part=receipt,
            on_event=ignore,
            on_status=ignore,
            on_refused=ignore,
        )
        receiver.start(strict=True)
        yield broker.url
        receiver.close()


def make(url: str, spool: Spool, on_fact: Callable[[str, Mapping[str, Any]], None] = ignore, **more: Any) -> Sender:
    return Sender("dot", spool, url, seal=known().device, on_directive=ignore, on_fact=on_fact, **more)


def test_a_disk_that_fails_for_a_moment_is_told_and_loses_nothing(far_end: str, tmp_path: Path) -> None:
    diary = Diary()
    spool = Bumpy(tmp_path / "spool.sqlite")
    with make(far_end, spool, diary, resend_s=0.1) as sender:
        assert submit_and_drain(sender)
    assert [fact["reason"] for fact in diary.all("spool_error")] == ["get fails", "settle fails"]
    spool.close()


def test_facts_told_as_events_do_not_feed_themselves(far_end: str, tmp_path: Path) -> None:
    diary = Diary()
    spool = Bumpy(tmp_path / "spool.sqlite")

    def tell(kind: str, facts: Mapping[str, Any]) -> None:
        diary(kind, facts)
        sender.tell({"kind": kind, **facts})

    sender = make(far_end, spool, tell, resend_s=0.1)
    sender.start()
    assert submit_and_drain(sender)
    sender.close()
    assert len(diary.all("spool_error")) == 2
    spool.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_a_callback_raises_comes_out_of_the_next_call_and_the_parts_are_kept(far_end: str, tmp_path: Path) -> None:
    def fail(kind: str, facts: Mapping[str, Any]) -> None:
        raise ZeroDivisionError(f"{kind} {facts}")

    spool = Spool(tmp_path / "spool.sqlite")
    sender = make(far_end, spool, fail)
    sender.start(strict=True)
    with pytest.raises(UplinkError, match=r"the sender has ended .*ZeroDivisionError"):
        submit_and_drain(sender)
    with pytest.raises(UplinkError, match="ZeroDivisionError"):
        sender.close()
    assert spool.summary().parts > 0
    spool.close()


def test_a_receipt_for_other_audio_settles_nothing_and_stops_nothing(tmp_path: Path) -> None:
    wrong: set[int] = set()

    def receipt(part: Part) -> None:
        digest = str(part.sealed) if part.number in wrong else "0" * 64
        wrong.add(part.number)
        receiver.publish_receipts([Receipt(part.device, part.clip, part.number, digest, part.last)])

    diary = Diary()
    spool = Spool(tmp_path / "spool.sqlite")
    with EmbeddedBroker() as broker:
        receiver = Receiver(
            broker.url,
            seal=known().far_end,
            next_serial=time.time_ns,
            on_part=receipt,
            on_event=ignore,
            on_status=ignore,
            on_refused=ignore,
        )
        receiver.start(strict=True)
        with make(broker.url, spool, diary, resend_s=0.1) as sender:
            assert submit_and_drain(sender)
        receiver.close()
    assert len(diary.all("receipt")) == len(PARTS)
    assert len(diary.all("part_sent")) >= 2 * len(PARTS)
    spool.close()


def test_a_part_is_kept_before_the_sender_starts_and_after_it_is_closed(far_end: str, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    sender = make(far_end, spool)
    sender.submit(PARTS[0])
    sender.start()
    assert sender.drain(DEADLINE_S)
    sender.close()
    sender.submit(PARTS[1])
    assert spool.summary().parts == 1
    assert not sender.drain(0)
    spool.close()


def test_a_clip_that_is_to_be_forgotten_is_not_sent_nor_what_is_still_to_come_of_it(
    far_end: str, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    diary = Diary()
    sender = make(far_end, spool, diary)
    sender.submit(PARTS[0])
    sender.forget(PARTS[0].clip)
    sender.start(strict=True)
    assert sender.drain(DEADLINE_S)
    assert not sender.submit(PARTS[1])
    sender.close()
    assert [(drop.clip, drop.parts, drop.why) for drop in spool.drops()] == [(PARTS[0].clip, 2, "deleted")]
    assert diary.all("part_sent") == []
    spool.close()


def test_one_that_never_started_can_be_closed(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    make(f"mqtt://127.0.0.1:{free_port()}", spool).close()
    with pytest.raises(LinkError, match="no broker answers"):
        make(f"mqtt://127.0.0.1:{free_port()}", spool).start(strict=True)
    spool.close()


def test_names_and_addresses_are_checked_at_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    with pytest.raises(AddressError):
        make("mqtt://broker.example", spool)
    with pytest.raises(MessageError, match="must be lower-case letters, digits and hyphens, at most 40"):
        Sender("Kitchen Dot", spool, "mqtt://127.0.0.1", seal=known().device, on_directive=ignore, on_fact=ignore)
    sender = make("mqtt://127.0.0.1", spool)
    with pytest.raises(MessageError, match="plain JSON"):
        sender.tell({"kind": float("nan")})
    with pytest.raises(MessageError, match="over the limit"):
        sender.status({"text": "x" * 140_000})
    spool.close()


def test_parts_that_are_handed_over_together_arrive_and_one_that_cannot_be_kept_stops_none_before_it(
    far_end: str, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    with make(far_end, spool) as sender:
        assert sender.submit_all(PARTS[:2]) == 2
        huge = replace(PARTS[3], facts={"much": "x" * 20_000})
        handed = [PARTS[2], huge]
        assert sender.submit_all(handed) == 1
        with pytest.raises(MessageError):
            sender.submit_all(handed[1:])
        assert sender.submit_all([PARTS[3]]) == 1
        assert sender.drain(DEADLINE_S)
    assert sender.figures().tally.receipts == len(PARTS)
    spool.close()
