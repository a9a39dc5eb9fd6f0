"""The far end behind a broker when its parts fail, and its command from start to SIGTERM."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.cloud import command, server
from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript
from sim.errors import RecognizerError, Refused, SimError, StoreAwayError, StoreError
from tests.uplink_kit import DEADLINE_S, Counter, Diary, cut, free_port, known, noise
from uplink.address import Access
from uplink.broker import EmbeddedBroker
from uplink.errors import LinkError
from uplink.link import Link
from uplink.message import Part, Receipt
from uplink.profiles import Limits
from uplink.receiver import Receiver
from uplink.sender import Sender
from uplink.spool import Spool

SAMPLES = noise(4_000)
PARTS = cut(SAMPLES, 1_000)

COMMAND = """
import argparse
from sim.cloud import command
parser = argparse.ArgumentParser()
command.add_parser(parser.add_subparsers())
args = parser.parse_args()
raise SystemExit(args.run(args))
"""


@pytest.fixture
def url() -> Iterator[str]:
    with EmbeddedBroker() as broker:
        yield broker.url


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ClipStore]:
    store = ClipStore(tmp_path / "cloud")
    yield store
    store.close()


@contextmanager
def sending(url: str, folder: Path) -> Iterator[Sender]:
    spool = Spool(folder / "spool.sqlite")
    with Sender(
        "dot", spool, url, seal=known().device, on_directive=lambda _: None, on_fact=lambda *_: None, resend_s=0.1
    ) as sender:
        yield sender
    spool.close()


def send(url: str, folder: Path, parts: list[Part]) -> None:
    with sending(url, folder) as sender:
        for part in parts:
            sender.submit(part)
        assert sender.drain(DEADLINE_S)


def test_a_recognizer_that_fails_costs_the_answer_and_not_the_clip(url: str, store: ClipStore, tmp_path: Path) -> None:
    class Deaf(Counter):
        def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
            raise RecognizerError(f"{len(samples)} samples are too much")

    diary = Diary()
    with FarEnd(Cloud(store, Deaf()), url, known().far_end, on_event=diary) as far_end:
        diary.wait("connected")
        send(url, tmp_path, PARTS)
        assert far_end.wait_answered(DEADLINE_S)
    assert diary.all("unanswered") == [{"clip": PARTS[0].clip, "reason": "4000 samples are too much"}]
    np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)
    assert store.unanswered() == [PARTS[0].clip]


def test_a_store_that_fails_for_a_moment_gives_no_receipt(url: str, tmp_path: Path) -> None:
    class Bumpy(ClipStore):
        bumps = 3

        def add_all(self, parts: Sequence[Part]) -> list[bool | Refused]:
            self.bumps -= 1
            if self.bumps >= 0:
                raise StoreError("the disk is full; make room on it")
            return super().add_all(parts)

    diary = Diary()
    store = Bumpy(tmp_path / "cloud")
    with FarEnd(Cloud(store, Counter()), url, known().far_end, on_event=diary) as far_end:
        diary.wait("connected")
        send(url, tmp_path, PARTS)
        assert far_end.wait_answered(DEADLINE_S)
    assert len(diary.all("refused")) == 3
    np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)
    store.close()


def test_who_waits_for_an_answer_gets_it_whoever_finds_the_clip_first(
    url: str, store: ClipStore, tmp_path: Path
) -> None:
    """The thread that looks for forgotten clips finds each at the very moment at which it is complete."""
    diary = Diary()
    with (
        FarEnd(Cloud(store, Counter()), url, known().far_end, on_event=diary, look_s=0.0) as far_end,
        sending(url, tmp_path) as sender,
    ):
        diary.wait("connected")
        for number in range(200):
            (part,) = cut(noise(10), 10, begin=number * 100)
            sender.submit(part)
            assert sender.drain(DEADLINE_S)
            assert far_end.wait_answered(DEADLINE_S)
            assert [facts["clip"] for facts in diary.all("transcript")][number:] == [part.clip]


def test_parts_that_come_faster_than_they_can_be_stored_are_left_to_the_device(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    class Slow(ClipStore):
        def add_all(self, parts: Sequence[Part]) -> list[bool | Refused]:
            assert let_go.wait(DEADLINE_S)
            return super().add_all(parts)

    def tell(kind: str, facts: Mapping[str, Any]) -> None:
        diary(kind, facts)
        if kind == "overrun":
            let_go.set()

    monkeypatch.setattr(server, "_WAITING_PARTS", 2)
    diary = Diary()
    store = Slow(tmp_path / "cloud")
    parts = cut(noise(16_000), 1_000)
    with FarEnd(Cloud(store, Counter()), url, known().far_end, on_event=tell):
        diary.wait("connected")
        send(url, tmp_path, parts)
    assert diary.all("overrun")
    np.testing.assert_array_equal(store.audio(parts[0].clip), noise(16_000))
    store.close()


def test_what_waits_is_stored_at_once_and_receipted_in_one_message(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go, batches = threading.Event(), []

    class Slow(ClipStore):
        def add_all(self, parts: Sequence[Part]) -> list[bool | Refused]:
            assert let_go.wait(DEADLINE_S)
            batches.append(len(parts))
            return super().add_all(parts)

    receipts: list[list[Receipt]] = []
    publish = Receiver.publish_receipts

    def watch(self: Receiver, these: Sequence[Receipt]) -> bool:
        receipts.append(list(these))
        return publish(self, these)

    monkeypatch.setattr(Receiver, "publish_receipts", watch)
    diary, sent = Diary(), []

    def tell(kind: str, _facts: Mapping[str, Any]) -> None:
        sent.append(kind)
        if sent.count("part_sent") == len(PARTS):
            let_go.set()

    store, spool = Slow(tmp_path / "cloud"), Spool(tmp_path / "spool.sqlite")
    with FarEnd(Cloud(store, Counter()), url, known().far_end, on_event=diary) as far_end:
        diary.wait("connected")
        with Sender("dot", spool, url, seal=known().device, on_directive=lambda _: None, on_fact=tell) as sender:
            for part in PARTS:
                sender.submit(part)
            assert sender.drain(DEADLINE_S)
        assert far_end.wait_answered(DEADLINE_S)
    assert sum(batches) == len(PARTS)
    assert [len(each) for each in receipts] == batches
    assert sent.count("receipt") == len(PARTS)
    np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)
    store.close()
    spool.close()


def test_a_part_that_the_store_does_not_take_holds_up_no_other(url: str, tmp_path: Path) -> None:
    class Picky(ClipStore):
        def add_all(self, parts: Sequence[Part]) -> list[bool | Refused]:
            if any(part.number == 1 for part in parts):
                raise StoreAwayError("that one not")
            return super().add_all(parts)

    store = Picky(tmp_path / "cloud")
    far_end = FarEnd(Cloud(store, Counter()), url, known().far_end, on_event=lambda *_: None)
    far_end._receive(PARTS)
    clip = store.clip(PARTS[0].clip)
    assert clip is not None
    assert clip.parts == len(PARTS) - 1
    far_end.close()
    store.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_a_callback_comes_out(url: str, store: ClipStore, tmp_path: Path) -> None:
    diary = Diary()

    def fail(kind: str, facts: object) -> None:
        diary(kind, {})
        if kind == "stored":
            raise SystemExit(f"{facts}")

    far_end = FarEnd(Cloud(store, Counter()), url, known().far_end, on_event=fail)
    far_end.start(strict=True)
    spool = Spool(tmp_path / "spool.sqlite")
    with Sender("dot", spool, url, seal=known().device, on_directive=lambda _: None, on_fact=lambda *_: None) as sender:
        sender.submit(PARTS[0])
        diary.wait("stored")
        with pytest.raises(SimError, match="the far end has ended"):
            far_end.wait_answered(DEADLINE_S)
    with pytest.raises(SimError, match="the far end has ended"):
        far_end.close()
    spool.close()


def test_the_command_receives_until_it_is_told_to_stop(url: str, tmp_path: Path) -> None:
    run = [sys.executable, "-c", COMMAND, "cloud", "--broker", url, "--recognizer", "pocketsphinx"]
    with subprocess.Popen(
        [*run, "--store", str(known().folder / "cloud")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines: list[str] = []
        while "Ctrl-C ends" not in (line := process.stdout.readline()):
            assert line, process.stderr.read()
            lines.append(line)
        send(url, tmp_path, PARTS)
        while not line.startswith("transcript"):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            lines.append(line)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
        assert process.stderr.read() == ""
    assert any(line.startswith("complete ") and PARTS[0].clip in line for line in lines)
    store = ClipStore(known().folder / "cloud")
    np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)
    assert store.unanswered() == []
    store.close()


def test_the_command_without_a_broker_is_one_sentence() -> None:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    broker, store = f"mqtt://127.0.0.1:{free_port()}", str(known().folder / "cloud")
    args = parser.parse_args(["cloud", "--broker", broker, "--store", store, "--recognizer", "pocketsphinx"])
    with pytest.raises(LinkError, match="no broker answers at"):
        args.run(args)


def test_a_far_end_keeps_the_rate_of_its_broker_from_all_its_threads_together(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate, taken = 40, list[float]()
    publish = Link.publish

    def watch(self: Link, *args: Any, **more: Any) -> bool:
        taken.append(time.monotonic())
        return publish(self, *args, **more)

    receiver = Receiver(
        url,
        seal=known().far_end,
        next_serial=time.time_ns,
        on_part=lambda _: None,
        on_event=lambda *_: None,
        on_status=lambda *_: None,
        on_refused=lambda _: None,
        access=Access(limits=Limits(publishes_per_s=rate, mqtt5=False)),
    )
    receiver.start(strict=True)
    monkeypatch.setattr(Link, "publish", watch)
    receipt = Receipt("dot", PARTS[0].clip, 0, PARTS[0].digest, complete=False)

    def receipts() -> None:
        for _ in range(rate):
            assert receiver.publish_receipts([receipt])

    threads = [threading.Thread(target=receipts) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    receiver.close()
    assert len(taken) == 2 * rate
    assert all(late - soon >= 0.99 for soon, late in zip(taken, taken[rate:], strict=False)), "so many in a second"
