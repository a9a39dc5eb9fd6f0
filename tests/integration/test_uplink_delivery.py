"""What a device owes arrives, once and bit for bit, over the embedded broker and over Mosquitto."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.cloud.server import FarEnd
from sim.cloud.service import Came, Cloud
from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript
from sim.errors import Refused
from tests.uplink_kit import DEADLINE_S, Counter, Diary, Keys, cut, free_port, known, mosquitto, noise
from uplink.broker import EmbeddedBroker
from uplink.link import Link
from uplink.message import Directive, Part, Receipt, encode_directive, encode_receipts, topic
from uplink.sender import Sender
from uplink.spool import Spool

SAMPLES = noise(20 * 800)
PARTS = cut(SAMPLES, 800)

Serve = Callable[[int], AbstractContextManager[object]]


@pytest.fixture(params=["embedded", "mosquitto"])
def serve(request: pytest.FixtureRequest, tmp_path: Path, needs: Callable[[str], str]) -> Serve:
    """Run one of the two brokers on a port, as a context manager."""
    if request.param == "embedded":
        return EmbeddedBroker
    program = needs("mosquitto")
    return lambda port: mosquitto(program, tmp_path, port)


@dataclass
class Ends:
    """A device's end and a far end that meet on one port, and what each has told."""

    folder: Path
    port: int = field(default_factory=free_port)
    device: Diary = field(default_factory=Diary)
    far: Diary = field(default_factory=Diary)
    directives: list[Directive] = field(default_factory=list)
    spools: list[Spool] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.store = ClipStore(self.folder / "cloud")
        self._stack.callback(self.store.close)

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def sender(self, resend_s: float = 0.3, in_flight: int = 16) -> Sender:
        spool = Spool(self.folder / "spool.sqlite")
        self.spools.append(spool)
        self._stack.callback(spool.close)
        sender = Sender(
            "dot",
            spool,
            self.url,
            seal=known().device,
            on_directive=self._obey,
            on_fact=self.device,
            resend_s=resend_s,
            in_flight=in_flight,
        )
        self._stack.callback(sender.close)
        sender.start()
        return sender

    def far_end(self, cloud: Cloud | None = None) -> FarEnd:
        far_end = FarEnd(cloud or Cloud(self.store, Counter()), self.url, known().far_end, on_event=self.far)
        self._stack.callback(far_end.close)
        far_end.start()
        return far_end

    def close(self) -> None:
        self._stack.close()

    def _obey(self, directive: Directive) -> None:
        self.directives.append(directive)
        self.device("directive", {"name": directive.name})


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Ends]:
    ends = Ends(tmp_path)
    yield ends
    ends.close()


def assert_delivered(ends: Ends, parts: list[Part] = PARTS) -> None:
    np.testing.assert_array_equal(ends.store.audio(parts[0].clip), SAMPLES)
    stored = [facts["number"] for facts in ends.far.all("stored")]
    assert set(stored) == {part.number for part in parts}


def test_a_clip_is_stored_receipted_heard_and_answered(ends: Ends, serve: Serve) -> None:
    with serve(ends.port):
        far_end = ends.far_end()
        ends.far.wait("connected")
        sender = ends.sender()
        sender.status({"version": "0.1.0", "muted": False})
        ends.device.wait("connected")
        sender.tell({"kind": "wake", "score": 0.93})
        for part in PARTS:
            sender.submit(part)
        assert sender.drain(DEADLINE_S)
        assert far_end.wait_answered(DEADLINE_S)
        assert ends.device.wait("directive") == {"name": "TurnEnd"}
        sender.close()
        ends.far.wait("transcript")
        while ends.far.wait("status")["facts"]["state"] != "offline":
            pass
        ends.close()
    assert_delivered(ends)
    assert ends.directives == [Directive("TurnEnd", PARTS[0].clip)]
    assert ends.far.all("transcript") == [
        {
            "clip": PARTS[0].clip,
            "text": f"{len(SAMPLES)} samples",
            "recognizer": "counter",
            "words": [],
            "alternatives": [],
        }
    ]
    assert ends.far.all("complete") == [{"clip": PARTS[0].clip, "samples": len(SAMPLES)}]
    assert ends.far.all("event") == [{"device": "dot", "facts": {"kind": "wake", "score": 0.93}}]
    assert [fact["complete"] for fact in ends.device.all("receipt")].count(True) == 1


def test_two_hundred_parts_arrive_bit_for_bit_and_in_order(ends: Ends, serve: Serve) -> None:
    samples = noise(200 * 1600)
    with serve(ends.port):
        ends.far_end()
        ends.far.wait("connected")
        sender = ends.sender(resend_s=DEADLINE_S)
        for part in cut(samples, 1600):
            sender.submit(part)
        assert sender.drain(DEADLINE_S)
        ends.close()
    np.testing.assert_array_equal(ClipStore(ends.folder / "cloud").audio(PARTS[0].clip), samples)
    assert [facts["number"] for facts in ends.far.all("stored")] == list(range(200))
    assert [facts["number"] for facts in ends.device.all("part_sent")] == list(range(200))


def test_what_was_submitted_while_the_broker_was_away_arrives_when_it_comes(ends: Ends, serve: Serve) -> None:
    sender = ends.sender()
    ends.device.wait("disconnected")
    sender.tell({"kind": "wake"})
    sender.tell({"kind": "near miss"})
    for part in PARTS:
        sender.submit(part)
    assert not sender.drain(0)
    far_end = ends.far_end()
    with serve(ends.port):
        assert sender.drain(DEADLINE_S)
        assert far_end.wait_answered(DEADLINE_S)
        ends.close()
    assert_delivered(ends)
    assert ends.device.all("events_dropped") == [{"count": 2}]
    assert ends.far.all("event") == []


def test_a_broker_that_goes_and_comes_back_costs_nothing(ends: Ends, serve: Serve) -> None:
    sender = ends.sender()
    ends.far_end()
    with serve(ends.port):
        for part in PARTS[:10]:
            sender.submit(part)
        assert sender.drain(DEADLINE_S)
    ends.device.wait("disconnected")
    for part in PARTS[10:]:
        sender.submit(part)
    with serve(ends.port):
        assert sender.drain(DEADLINE_S)
        ends.close()
    assert_delivered(ends)


class Forgetful(Cloud):
    """A far end whose first receipt for each part is lost on the way."""

    def __init__(self, store: ClipStore) -> None:
        super().__init__(store, Counter())
        self._seen: set[int] = set()

    def receive_all(self, parts: Sequence[Part]) -> list[list[Came] | Refused]:
        answered = super().receive_all(parts)
        known, self._seen = self._seen, self._seen | {part.number for part in parts}
        return [answers if part.number in known else [] for part, answers in zip(parts, answered, strict=True)]


def test_a_lost_receipt_costs_a_repetition_and_nothing_else(ends: Ends, serve: Serve) -> None:
    with serve(ends.port):
        far_end = ends.far_end(Forgetful(ends.store))
        ends.far.wait("connected")
        sender = ends.sender(resend_s=0.1, in_flight=8)
        for part in PARTS:
            sender.submit(part)
        assert sender.drain(DEADLINE_S)
        assert far_end.wait_answered(DEADLINE_S)
        ends.close()
    assert_delivered(ends)
    assert len(ends.far.all("stored")) >= 2 * len(PARTS)
    assert len(ends.far.all("transcript")) == 1
    clip = ClipStore(ends.folder / "cloud").clip(PARTS[0].clip)
    assert clip is not None
    assert clip.parts == len(PARTS)


def test_a_part_that_is_never_taken_does_not_hold_up_the_others(ends: Ends, serve: Serve) -> None:
    bad = [replace(part, audio=b"no FLAC", last=False) for part in cut(SAMPLES, 800, begin=99)[:12]]
    with serve(ends.port):
        ends.far_end()
        ends.far.wait("connected")
        sender = ends.sender(resend_s=0.1, in_flight=4)
        for part in [*bad, *PARTS]:
            sender.submit(part)
        while ends.device.wait("receipt")["complete"] is False:
            pass
        assert not sender.drain(0)
        assert len(ends.far.all("refused")) >= 12
        ends.close()
    assert_delivered(ends)


def test_the_next_start_sends_what_the_last_one_could_not(ends: Ends, serve: Serve) -> None:
    first = ends.sender()
    for part in PARTS:
        first.submit(part)
    first.close()
    ends.spools[0].close()
    with serve(ends.port):
        ends.far_end()
        assert ends.sender().drain(DEADLINE_S)
        ends.close()
    assert_delivered(ends)


class Mute(Cloud):
    """A far end whose receipts are all lost on the way."""

    def receive_all(self, parts: Sequence[Part]) -> list[list[Came] | Refused]:
        super().receive_all(parts)
        return [[] for _ in parts]


def test_after_an_absence_nothing_that_is_stored_is_sent_again(ends: Ends, serve: Serve) -> None:
    with serve(ends.port):
        mute = ends.far_end(Mute(ends.store, Counter()))
        ends.far.wait("connected")
        sender = ends.sender(resend_s=DEADLINE_S)
        for part in PARTS[:-1]:
            sender.submit(part)
        assert mute.wait_answered(DEADLINE_S)
        for _ in PARTS[:-5]:
            ends.far.wait("stored")
        sender.close()
        mute.close()
        ends.spools[0].close()
        ends.device.all("part_sent")
        ends.device.entries.clear()
        ends.far_end()
        ends.far.wait("connected")
        sender = ends.sender(resend_s=DEADLINE_S)
        sender.submit(PARTS[-1])
        assert sender.drain(DEADLINE_S)
        ends.close()
    stored = ends.device.all("reconciled")[0]["stored"]
    assert stored >= 16
    assert [facts["number"] for facts in ends.device.all("part_sent")].count(0) == 0
    assert len(ends.device.all("part_sent")) == len(PARTS) - stored
    assert_delivered(ends)


def test_a_far_end_that_starts_again_answers_what_is_unanswered(ends: Ends, serve: Serve) -> None:
    for part in PARTS:
        ends.store.add(part)
    with serve(ends.port):
        ends.sender()
        ends.device.wait("connected")
        assert ends.far_end().wait_answered(DEADLINE_S)
        ends.close()
    assert len(ends.far.all("transcript")) == 1


def test_receipts_do_not_wait_for_the_recognizer(ends: Ends, serve: Serve) -> None:
    let_go = threading.Event()

    class Slow(Counter):
        def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
            assert let_go.wait(DEADLINE_S)
            return super().transcribe(samples)

    with serve(ends.port):
        far_end = ends.far_end(Cloud(ends.store, Slow()))
        ends.far.wait("connected")
        sender = ends.sender()
        for part in [*PARTS, *cut(SAMPLES, 800, begin=10**6)]:
            sender.submit(part)
        assert sender.drain(DEADLINE_S)
        assert ends.far.all("transcript") == []
        let_go.set()
        assert far_end.wait_answered(DEADLINE_S)
        ends.close()
    assert len(ends.far.all("transcript")) == 2


def test_malformed_and_foreign_messages_are_refused_on_both_ends(ends: Ends, serve: Serve) -> None:
    with serve(ends.port):
        ends.far_end()
        sender = ends.sender()
        ends.far.wait("connected")
        ends.device.wait("connected")
        outsider = Link(
            ends.url,
            "outsider",
            topics=[],
            on_message=lambda *_: None,
            on_up=lambda: None,
            on_down=lambda _: None,
        )
        outsider.open(strict=True)
        wrong = Receipt("dot", PARTS[0].clip, 0, "0" * 64, True)
        foreign = encode_receipts([wrong], Keys(ends.folder / "others").far_end)
        for payload in (b"", b"\xff\n", foreign):
            assert outsider.publish(topic("dot", "receipt"), payload, qos=1)
            assert ends.device.wait("refused")["kind"] == "receipt"
        assert outsider.publish(topic("dot", "directive"), b"{}\n", qos=1)
        assert ends.device.wait("refused")["kind"] == "directive"
        for device, kind in (("dot", "part"), ("dot", "event"), ("dot", "status"), ("NOT-ONE", "part")):
            assert outsider.publish(f"misheard/v1/{device}/{kind}", b"\x00" * 100, qos=1)
            ends.far.wait("refused")
        stop = encode_directive("dot", Directive("StopCapture"), 1, known().far_end)
        assert outsider.publish(topic("dot", "directive"), stop, qos=1)
        ends.device.wait("directive")
        # A receipt that does not fit the audio settles nothing.
        assert outsider.publish(topic("dot", "receipt"), encode_receipts([wrong], known().far_end), qos=1)
        sender.submit(PARTS[0])
        assert sender.drain(DEADLINE_S)
        assert [fact["complete"] for fact in ends.device.all("receipt")] == [False]
        outsider.close()
        ends.close()
