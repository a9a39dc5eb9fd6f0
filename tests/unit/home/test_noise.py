from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.home.noise import BLOCK, PinkNoise

RATE = 16_000


def test_it_has_as_much_power_in_each_octave_and_an_rms_of_one() -> None:
    noise = PinkNoise(5).between(0, 20 * RATE)
    power, hz = np.abs(np.fft.rfft(noise)) ** 2, np.fft.rfftfreq(len(noise), 1 / RATE)
    octaves = [float(np.sum(power[(hz >= low) & (hz < 2 * low)])) for low in (50, 100, 200, 400, 800, 1600, 3200)]
    assert 10 * np.log10(max(octaves) / min(octaves)) < 1
    assert float(np.mean(noise**2)) == pytest.approx(1, rel=0.05)


def test_it_is_gaussian() -> None:
    noise = PinkNoise(5).between(0, 20 * RATE)
    assert float(np.mean(noise**4) / np.mean(noise**2) ** 2) == pytest.approx(3, abs=0.1)


@given(st.lists(st.integers(1, 2 * BLOCK), min_size=1, max_size=4), st.integers(0, 3 * BLOCK))
def test_however_one_comes_to_a_sample_it_is_the_same(lengths: list[int], begin: int) -> None:
    whole = PinkNoise(3, 1).between(begin, begin + sum(lengths))
    stream, at, pieces = PinkNoise(3, 1), begin, []
    for n in lengths:
        pieces.append(stream.between(at, at + n))
        at += n
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


def test_other_seeds_and_other_times_are_other_noise() -> None:
    one, other = PinkNoise(1, 0).between(0, 8 * BLOCK), PinkNoise(1, 1).between(0, 8 * BLOCK)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1
    assert abs(np.corrcoef(one[: 4 * BLOCK], one[4 * BLOCK :])[0, 1]) < 0.1
    seam = one[BLOCK - 2000 : BLOCK + 2000]  # pink noise is like its own near past, also across blocks
    assert np.corrcoef(seam[:-1], seam[1:])[0, 1] > 0.5
    assert abs(float(one[BLOCK] - one[BLOCK - 1])) < 4
