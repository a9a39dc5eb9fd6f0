"""The ring against the plainest thing that does the same: all samples in one array."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.ring import Ring


@given(
    capacity=st.integers(1, 50),
    steps=st.lists(st.one_of(st.integers(0, 120), st.just("wipe")), min_size=1, max_size=30),
)
def test_it_holds_the_newest_samples_under_their_indices(capacity: int, steps: list[int | str]) -> None:
    ring = Ring(capacity)
    everything, tail = np.zeros(0, np.int16), 0
    for number, step in enumerate(steps):
        if isinstance(step, int):
            new = np.arange(step, dtype=np.int16) + 1 + 200 * number
            ring.append(new)
            everything = np.concatenate((everything, new))
        else:
            ring.wipe(len(everything) + 7)
            everything = np.concatenate((everything, np.zeros(7, np.int16)))
            tail = len(everything)
            assert not ring._samples.any()
        tail = max(tail, len(everything) - capacity)
        assert (ring.tail, ring.head) == (tail, len(everything))
        np.testing.assert_array_equal(ring.read(ring.tail, ring.head), everything[tail:])
        middle = (ring.tail + ring.head) // 2
        np.testing.assert_array_equal(ring.read(middle, ring.head), everything[middle:])


def test_indices_do_not_wrap() -> None:
    ring = Ring(8)
    ring.wipe(2**62)
    ring.append(np.arange(20, dtype=np.int16))
    assert (ring.tail, ring.head) == (2**62 + 12, 2**62 + 20)
    np.testing.assert_array_equal(ring.read(2**62 + 13, 2**62 + 15), [13, 14])


@pytest.mark.parametrize(("begin", "end"), [(1, 3), (3, 13), (8, 7), (-1, 2)])
def test_what_is_not_held_cannot_be_read(begin: int, end: int) -> None:
    ring = Ring(10)
    ring.append(np.ones(12, np.int16))
    with pytest.raises(IndexError, match="are not held, only 2 to 12"):
        ring.read(begin, end)


def test_what_was_read_does_not_change() -> None:
    ring = Ring(4)
    ring.append(np.array([1, 2, 3, 4], np.int16))
    read = ring.read(0, 4)
    ring.append(np.array([5, 6], np.int16))
    ring.wipe(6)
    np.testing.assert_array_equal(read, [1, 2, 3, 4])
