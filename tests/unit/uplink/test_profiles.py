"""Limits of brokers, and the pacer that keeps them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uplink.message import MAX_MESSAGE_BYTES, topic
from uplink.profiles import PROFILES, Limits, Pacer

LONGEST_DEVICE = "d" * 40


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_takes_the_largest_message_on_the_longest_topic(name: str) -> None:
    assert PROFILES[name].refusal(topic(LONGEST_DEVICE, "directive"), MAX_MESSAGE_BYTES) is None


def test_what_is_too_large_or_too_deep_is_told_with_both_numbers() -> None:
    limits = PROFILES["aws-iot-core"]
    assert limits.refusal("a/b", 131_072) is None
    too_large = "packet too large: 131073 bytes, and the broker takes messages of 131072"
    assert limits.refusal("a/b", 131_073) == too_large
    assert limits.refusal("/".join("abcdefgh"), 1) is None
    assert limits.refusal("/".join("abcdefghi"), 1) == "topic too deep: 8 slashes, and the broker takes 7"
    told = limits.tightened(packet_bytes=10_000)
    assert told.refusal("a/b", 9_869) is None
    assert told.refusal("a/b", 9_870) == "packet too large: 10001 bytes, and the broker takes packets of 10000"


def test_what_a_broker_says_makes_limits_narrower_and_never_wider() -> None:
    limits = Limits(packet_bytes=1000, in_flight=100)
    assert limits.tightened() == limits
    assert limits.tightened(packet_bytes=10, in_flight=20) == Limits(packet_bytes=10, in_flight=20)
    assert limits.tightened(packet_bytes=9999, in_flight=65535) == limits
    assert Limits().tightened(in_flight=20).in_flight == 20


@given(st.integers(1, 300), st.lists(st.floats(0, 2), max_size=400))
def test_no_second_sees_more_than_the_rate(per_s: int, pauses: list[float]) -> None:
    pacer, now = Pacer(per_s), 100.0
    taken = []
    for pause in [*pauses, *[0.0] * (per_s + 50)]:
        now += pause
        now += pacer.wait_s(now)
        assert pacer.wait_s(now) == 0
        pacer.take(now)
        taken.append(now)
    assert all(late - early > 1 - 1e-6 for early, late in zip(taken, taken[per_s:], strict=False))


def test_a_steady_sender_reaches_nine_tenths_of_the_rate() -> None:
    pacer, now = Pacer(100), 0.0
    for _ in range(910):
        now += pacer.wait_s(now)
        pacer.take(now)
    assert now == pytest.approx(10, abs=0.02)


def test_what_was_taken_too_early_is_paid_back() -> None:
    pacer = Pacer(100)
    for _ in range(100):
        pacer.take(0.0)
    assert pacer.wait_s(0.0) == pytest.approx(91 / 90)
    assert pacer.wait_s(0.5) == pytest.approx(91 / 90 - 0.5)
    assert pacer.wait_s(1.02) == 0


def test_asking_changes_nothing_and_the_waits_shrink_with_time() -> None:
    pacer = Pacer(1)
    pacer.take(0.0)
    waits = [pacer.wait_s(now / 10) for now in range(11)]
    assert waits == [pacer.wait_s(now / 10) for now in range(11)]
    assert all(late < early for early, late in pairwise(waits))
    assert waits[-1] == 0


def test_without_a_rate_nobody_waits() -> None:
    pacer = Pacer(None)
    for _ in range(10_000):
        assert pacer.wait_s(0.0) == 0
        pacer.take(0.0)
