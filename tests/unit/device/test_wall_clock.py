"""The clock on the wall, set, drifting and asleep, against the sample clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from device.audio import Block
from device.wall_clock import WallClock
from wakeword.sound import RATE

ZERO = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """A stream, and the two clocks of a computer; `wrong_s` is how far its UTC is off."""

    def __init__(self, wrong_s: float = 0.0) -> None:
        self.seconds, self.wrong_s, self.slept_s, self.end = 0.0, wrong_s, 0.0, 0
        self.zeros: list[datetime] = []
        zero = ZERO + timedelta(seconds=wrong_s)
        self.clock = WallClock(zero, self.zeros.append, self.utc_s, lambda: self.seconds - self.slept_s)

    def utc_s(self) -> float:
        return ZERO.timestamp() + self.seconds + self.wrong_s

    def hear(self, seconds: float, rate: float = RATE, late_s: float = 0.0) -> None:
        """Let time pass, with a block each second that comes so late."""
        for _ in range(round(seconds)):
            self.seconds += 1.0
            self.end += round(rate)
            self.seconds += late_s
            self.clock.hear(Block(self.end - 1, np.zeros(1, np.int16)))
            self.seconds -= late_s


@pytest.mark.parametrize("wrong_s", [-20 * 365 * 86_400.0, 86_400.0, -3.0])
def test_a_clock_that_is_set_moves_the_anchor_at_once_and_to_the_right_place(wrong_s: float) -> None:
    world = World(wrong_s)
    world.hear(1000)
    assert world.zeros == []
    world.wrong_s = 0.0
    world.hear(2)
    assert [abs((zero - ZERO).total_seconds()) < 0.001 for zero in world.zeros] == [True]
    world.hear(3000)
    assert len(world.zeros) == 1


def test_what_a_device_is_late_with_is_no_step_and_no_drift() -> None:
    world = World()
    for _ in range(10):
        world.hear(300, late_s=7.0)
        world.hear(5)
    assert world.zeros == []


def test_a_quartz_that_drifts_is_followed() -> None:
    world = World()
    world.hear(86_400, rate=RATE - 2)  # 125 ppm slow
    assert 4 <= len(world.zeros) <= 6
    now = world.zeros[-1] + timedelta(seconds=world.end / RATE)
    assert abs((now - ZERO).total_seconds() - world.seconds) < 3.0


def test_a_computer_that_slept_has_its_anchor_moved_by_as_much() -> None:
    world = World()
    world.hear(60)
    world.seconds += 3600.0
    world.slept_s = 3600.0
    world.hear(1)
    assert world.zeros == [ZERO + timedelta(hours=1)]


def test_a_clock_beyond_all_calendars_is_let_go() -> None:
    world = World()
    world.hear(2)
    world.wrong_s = 1e13
    world.hear(2)
    assert world.zeros == []
