"""From a captured part to the spool, also where that fails for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from device.errors import DeviceError
from device.events import Event, Kind
from device.outbox import Outbox, as_part
from tests.firmware_kit import Scene, kinds, plain
from uplink.errors import SpoolError
from uplink.message import Part
from wakeword.sound import decode_flac

DEADLINE_S = 20.0


class FakeSpool:
    """Takes parts, or says that the disk is full; counts the attempts."""

    def __init__(self) -> None:
        self.kept: list[Part] = []
        self.attempts = 0
        self.full = False
        self._changed = threading.Condition()

    def submit(self, parts: Sequence[Part]) -> int:
        with self._changed:
            self.attempts += 1
            self._changed.notify_all()
            if self.full:
                raise SpoolError("the disk with the spool is full; make room on it")
            self.kept += parts
            return len(parts)

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, DEADLINE_S)

    def set_full(self, full: bool) -> None:
        with self._changed:
            self.full = full


def ignore(_: object) -> None:
    pass


def part(number: int, last: bool = False) -> Event:
    begin = 1600 * number
    facts = {"clip": "dot-1", "number": number, "last": last, "begin": begin, "end": begin + 1600, "facts": {}}
    return Event(begin, Kind.PART, facts, plain(begin, 1600))  # type: ignore[arg-type]


def test_a_part_of_the_firmware_goes_on_the_wire_as_it_is() -> None:
    scene = Scene()
    scene.turn()
    for event in kinds(scene.events, "part"):
        made = as_part("dot", event)
        about = {name: getattr(made, name) for name in ("clip", "number", "last", "begin", "end", "facts")}
        assert about == event.facts
        assert event.audio is not None
        np.testing.assert_array_equal(decode_flac(made.audio), event.audio)


def test_parts_are_handed_over_in_order() -> None:
    spool, troubles = FakeSpool(), list[str]()
    outbox = Outbox("dot", spool.submit, troubles.append)
    for number in range(20):
        outbox.put(part(number))
    outbox.close()
    assert [kept.number for kept in spool.kept] == list(range(20))
    assert troubles == []


def test_the_last_part_of_a_clip_may_be_empty() -> None:
    spool = FakeSpool()
    outbox = Outbox("dot", spool.submit, lambda _: None)
    facts = {"clip": "dot-1", "number": 1, "last": True, "begin": 5, "end": 5, "facts": {"reason": "muted"}}
    outbox.put(Event(5, Kind.PART, facts, np.zeros(0, np.int16)))  # type: ignore[arg-type]
    outbox.close()
    assert spool.kept[0].audio == b""


def test_the_listening_thread_never_waits_for_the_disk() -> None:
    slow, taken, calls = threading.Event(), list[Part](), list[int]()

    def submit(sent: Sequence[Part]) -> int:
        assert slow.wait(DEADLINE_S)
        taken.extend(sent)
        calls.append(len(sent))
        return len(sent)

    outbox = Outbox("dot", submit, lambda _: None)
    for number in range(5):
        outbox.put(part(number))
    assert taken == []
    slow.set()
    outbox.close()
    assert [sent.number for sent in taken] == [0, 1, 2, 3, 4]
    assert len(calls) <= 3, "what came meanwhile is handed over together"


def test_what_a_full_disk_does_not_take_is_tried_again_in_order() -> None:
    spool, troubles = FakeSpool(), list[str]()
    outbox = Outbox("dot", spool.submit, troubles.append, retry_s=0.005)
    outbox.put(part(0))
    spool.wait(lambda: len(spool.kept) == 1)
    spool.set_full(True)
    for number in (1, 2, 3):
        outbox.put(part(number))
    spool.wait(lambda: spool.attempts >= 10)  # again and again, and with nothing new put
    assert len(spool.kept) == 1
    spool.set_full(False)
    spool.wait(lambda: len(spool.kept) == 4)
    outbox.put(part(4, last=True))
    outbox.close()
    assert [kept.number for kept in spool.kept] == [0, 1, 2, 3, 4]
    assert troubles == ["the disk with the spool is full; make room on it"], "told once"


def test_a_second_trouble_is_told_again() -> None:
    spool, troubles = FakeSpool(), list[str]()
    outbox = Outbox("dot", spool.submit, troubles.append, retry_s=0.005)
    for number in (0, 1):
        before = spool.attempts
        spool.set_full(True)
        outbox.put(part(number))
        spool.wait(lambda before=before: spool.attempts > before + 2)  # type: ignore[misc]
        spool.set_full(False)
        spool.wait(lambda number=number: len(spool.kept) == number + 1)  # type: ignore[misc]
    outbox.close()
    assert len(troubles) == 2


def test_what_could_not_be_kept_is_named_at_the_end() -> None:
    spool = FakeSpool()
    spool.full = True
    outbox = Outbox("dot", spool.submit, lambda _: None, retry_s=0.005)
    outbox.put(part(0))
    outbox.put(part(1, last=True))
    with pytest.raises(DeviceError) as lost:
        outbox.close()
    assert str(lost.value) == (
        "the disk with the spool is full; make room on it; so these were not kept: dot-1 part 0, dot-1 part 1"
    )


def test_at_the_end_it_is_tried_once_more() -> None:
    spool = FakeSpool()
    spool.full = True
    outbox = Outbox("dot", spool.submit, lambda _: None, retry_s=3600)
    outbox.put(part(0))
    spool.wait(lambda: spool.attempts == 1)
    spool.set_full(False)
    outbox.close()
    assert len(spool.kept) == 1


def test_what_cannot_be_kept_is_carried_once_and_held_until_it_is_received() -> None:
    spool, carried = FakeSpool(), list[Part]()
    spool.full = True
    outbox = Outbox("dot", spool.submit, lambda _: None, retry_s=0.005, carry=carried.extend)
    for number in range(3):
        outbox.put(part(number))
    spool.wait(lambda: spool.attempts >= 10)
    assert [each.number for each in carried] == [0, 1, 2]
    outbox.received("dot-1", 0)
    outbox.received("dot-2", 1)  # which nobody knows
    outbox.received("dot-1", 2)
    with pytest.raises(DeviceError, match=r"these were not kept: dot-1 part 1$"):
        outbox.close()


def test_a_clip_that_is_deleted_is_held_no_more_and_told_behind_what_was_handed_over() -> None:
    spool, told = FakeSpool(), list[str]()
    outbox = Outbox("dot", spool.submit, lambda _: None, retry_s=3600, carry=ignore, on_forget=told.append)
    spool.set_full(True)
    outbox.put(part(0))
    spool.wait(lambda: spool.attempts == 1)
    outbox.put(replace(part(0), facts={**part(0).facts, "clip": "dot-2"}))
    outbox.put(part(1))
    outbox.forget("dot-1")
    spool.set_full(False)
    outbox.close(DEADLINE_S)
    assert [(kept.clip, kept.number) for kept in spool.kept] == [("dot-2", 0)]
    assert told == ["dot-1"]


def test_at_the_end_what_was_carried_is_waited_for() -> None:
    spool, late = FakeSpool(), threading.Event()
    spool.full = True

    def carry(parts: Sequence[Part]) -> None:
        assert len(parts) == 1
        late.set()

    outbox = Outbox("dot", spool.submit, lambda _: None, retry_s=0.005, carry=carry)
    outbox.put(part(0))
    assert late.wait(DEADLINE_S)
    before = spool.attempts

    def receive() -> None:
        spool.wait(lambda: spool.attempts > before + 5)
        outbox.received("dot-1", 0)

    helper = threading.Thread(target=receive)
    helper.start()
    outbox.close(DEADLINE_S)
    helper.join()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_is_told_and_does_not_hang() -> None:
    def submit(_: Sequence[Part]) -> int:
        raise RuntimeError("oh")

    outbox = Outbox("dot", submit, lambda _: None)
    outbox.put(part(0))
    with pytest.raises(DeviceError, match=r"the outbox has ended .*oh.*please report"):
        outbox.close()


def test_memory_is_bounded_while_the_disk_is_away_and_what_went_is_named() -> None:
    spool, troubles = FakeSpool(), list[str]()
    outbox = Outbox("dot", spool.submit, troubles.append, retry_s=0.005, most=3)
    spool.set_full(True)
    for number in range(8):
        outbox.put(part(number))
    spool.wait(lambda: spool.attempts >= 20)
    spool.set_full(False)
    spool.wait(lambda: len(spool.kept) == 3)
    with pytest.raises(DeviceError, match=r"is full; .*these were not kept: dot-1 part 0, .* dot-1 part 4$"):
        outbox.close()
    assert [kept.number for kept in spool.kept] == [5, 6, 7]
