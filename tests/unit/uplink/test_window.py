"""The window sends everything, in order and turn about, whatever receipts come, or do not."""

from __future__ import annotations

import math
import random
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from uplink.window import Key, Window

RESEND_S = 5.0


def window(in_flight: int = 4) -> Window:
    return Window(in_flight, RESEND_S, random.Random(1))


def offer(window: Window, clip: str, parts: int) -> None:
    for number in range(parts):
        window.offer((clip, number))


def send_all(window: Window, now: float) -> list[Key]:
    """Send until no seat is free or nothing waits; gives what went out."""
    sent = []
    while (key := window.next(now)) is not None:
        window.send(key, now)
        sent.append(key)
    return sent


def test_no_more_than_its_seats_are_on_their_way() -> None:
    one = window(3)
    offer(one, "a", 5)
    assert send_all(one, 0) == [("a", 0), ("a", 1), ("a", 2)]
    assert one.next_time() == RESEND_S
    assert one.receipt(("a", 1), 0.5) == 0.5
    assert send_all(one, 1) == [("a", 3)]
    assert len(one) == 4


def test_the_oldest_and_the_newest_clip_take_turns_and_keep_their_order() -> None:
    one = window(100)
    offer(one, "old", 6)
    offer(one, "middle", 2)
    offer(one, "new", 2)
    sent = send_all(one, 0)
    assert sent[:8] == [
        *(("old", 0), ("new", 0), ("old", 1), ("new", 1)),
        *(("old", 2), ("middle", 0), ("old", 3), ("middle", 1)),
    ]
    assert sent[8:] == [("old", 4), ("old", 5)]


def test_a_stream_of_new_clips_does_not_starve_the_old_ones() -> None:
    one = window(1)
    offer(one, "old", 50)
    sent = []
    for turn in range(110):
        offer(one, f"new-{turn}", 2)
        (key,) = send_all(one, turn)
        one.receipt(key, turn)
        sent.append(key)
    assert [key for key in sent if key[0] == "old"] == [("old", number) for number in range(50)]


def test_a_part_lost_among_others_is_sent_again_at_once_and_then_ever_more_seldom() -> None:
    one = window(2)
    one.offer(("bad", 0))
    now, times = 0.0, []
    for turn in range(3_000):
        one.offer((f"good-{turn}", 0))
        one.give_up(now)
        for key in send_all(one, now):
            if key[0] == "bad":
                times.append(now)
            else:
                one.receipt(key, now + 0.5)
        now += 1
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[:5] == [5, 10, 20, 40, 80]
    assert max(waits) <= 65 * RESEND_S + 1
    assert min(waits[6:]) > 300
    assert len(one) < 5


def test_while_nobody_has_a_receipt_all_wait_longer_and_no_part_is_blamed() -> None:
    one = window(2)
    offer(one, "a", 2)
    now, gaps = 0.0, []
    send_all(one, now)
    for _ in range(6):
        before, now = now, one.next_time()
        one.give_up(now)
        now = max(now, one.next_time() if one.next(now) is None else now)
        send_all(one, now + 2)
        gaps.append(now - before)
    assert gaps[-1] <= 8 * RESEND_S * 1.25 + 2
    assert gaps[-1] > 4 * gaps[0]
    one.receipt(("a", 0), now)
    one.offer(("b", 0))
    assert send_all(one, now) == [("b", 0)]
    assert ("b", 0) in one.give_up(now + RESEND_S)


def test_a_round_trip_is_told_of_a_part_that_was_sent_once() -> None:
    one = window()
    offer(one, "a", 2)
    send_all(one, 0)
    assert one.receipt(("a", 0), 2) == 2
    one.give_up(5)
    send_all(one, 10)
    assert one.receipt(("a", 1), 11) is None
    assert one.receipt(("a", 1), 11) is None
    assert one.receipt(("nobody", 7), 11) is None


def test_a_part_that_cannot_be_sent_now_waits_and_leaves_its_turn_to_others() -> None:
    one = window(1)
    offer(one, "old", 2)
    offer(one, "new", 1)
    assert one.next(0) == ("old", 0)
    one.wait(("old", 0), 7)
    assert len(one) == 3
    for turn in (("new", 0), ("old", 1)):
        assert send_all(one, 0) == [turn]
        one.receipt(turn, 1)
    assert send_all(one, 6.9) == []
    assert one.next_time() == 7
    assert send_all(one, 7) == [("old", 0)]


def test_what_was_sent_over_an_old_connection_goes_first_over_the_next() -> None:
    one = window(3)
    offer(one, "a", 5)
    offer(one, "b", 1)
    send_all(one, 0)
    back = one.take_back()
    assert back == [("a", 0), ("a", 1), ("b", 0)]
    assert one.next_time() == math.inf
    one.withdraw(("a", 0))
    one.put_back([("a", 1), ("b", 0)], 1)
    assert send_all(one, 1) == [("a", 1), ("b", 0), ("a", 2)]


class Life(RuleBasedStateMachine):
    """Parts come, go out, are receipted, lost, withdrawn, given up and taken back, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window(3, RESEND_S, random.Random(7))
        self.now = 0.0
        self.numbers: dict[str, int] = {}
        self.open: set[Key] = set()
        self.back: list[Key] = []
        self.sent: set[Key] = set()
        self.firsts: dict[str, list[int]] = {}

    @rule(clip=st.sampled_from("abcdef"), parts=st.integers(1, 4))
    def offer(self, clip: str, parts: int) -> None:
        for _ in range(parts):
            number = self.numbers[clip] = self.numbers.get(clip, -1) + 1
            self.window.offer((clip, number))
            self.open.add((clip, number))

    @rule(most=st.integers(1, 5))
    def send(self, most: int) -> None:
        for _ in range(most):
            key = self.window.next(self.now)
            if key is None:
                break
            assert key in self.open
            assert key not in self.back
            assert self.window.send(key, self.now) == (key in self.sent)
            if key not in self.sent:
                self.firsts.setdefault(key[0], []).append(key[1])
            self.sent.add(key)

    @rule(data=st.data())
    def receipt(self, data: st.DataObject) -> None:
        clip = data.draw(st.sampled_from("abcdefx"))
        key = clip, data.draw(st.integers(0, 8))
        self.window.receipt(key, self.now)
        self.open.discard(key)
        self.back = [each for each in self.back if each != key]
        if clip != "x":
            self.numbers[clip] = max(self.numbers.get(clip, -1), key[1])  # it will not be offered any more

    @rule(seconds=st.sampled_from([0.1, 1.0, 6.0, 50.0, 1e6]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.window.give_up(self.now)

    @rule()
    def lose_the_connection(self) -> None:
        self.back = sorted([*self.back, *self.window.take_back()])

    @rule()
    def connect(self) -> None:
        self.window.put_back(self.back, self.now)
        self.back = []

    @invariant()
    def knows_each_part_once(self) -> None:
        assert len(self.window) + len(self.back) == len(self.open)
        assert self.window.on_their_way <= 3

    @invariant()
    def keeps_the_order_within_a_clip(self) -> None:
        for numbers in self.firsts.values():
            assert numbers == sorted(numbers)

    def teardown(self) -> None:
        """With a far end that answers, everything arrives."""
        self.connect()
        for _ in range(1_000):
            self.now = max(self.now, min(self.window.next_time(), self.now + 1_000))
            self.window.give_up(self.now)
            for key in send_all(self.window, self.now):
                self.window.receipt(key, self.now)
                self.open.discard(key)
            if not self.open:
                break
        assert not self.open
        assert len(self.window) == 0
        assert self.window.next_time() == math.inf


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
