from __future__ import annotations

import numpy as np
import pytest

from sim.home.hearing import HEARD_SHARE, audibility
from sim.home.levels import Sound, amplitude, at_level
from sim.home.noise import PinkNoise
from tests.home_kit import hiss, tone

SECOND = 16_000


def at(level_db_spl: float, seed: int = 1) -> Sound:
    return at_level(hiss(1.0, seed), level_db_spl)


def pink(level_db_spl: float) -> Sound:
    return PinkNoise(9).between(0, SECOND) * np.float32(amplitude(level_db_spl))


def test_levels_are_told_as_they_are() -> None:
    found = audibility(at(55), at(40, 2))
    assert found.level_db_spl == pytest.approx(55, abs=0.3)
    assert found.rest_db_spl == pytest.approx(40, abs=0.3)


def test_what_is_far_over_the_rest_is_heard_and_what_is_far_under_it_is_not() -> None:
    assert audibility(at(60), at(40, 2)).share > 0.9
    assert audibility(at(60), at(40, 2)).heard
    assert audibility(at(40), at(60, 2)).share < 0.1
    assert not audibility(at(40), at(60, 2)).heard


def test_the_louder_it_is_the_more_is_heard_and_the_louder_the_rest_the_less() -> None:
    for rest in (at(50, 2), pink(50)):
        shares = [audibility(at(level), rest).share for level in range(30, 75, 3)]
        assert shares == sorted(shares)
        assert shares[0] < HEARD_SHARE < shares[-1]
    shares = [audibility(at(50), at(level, 2)).share for level in range(30, 75, 3)]
    assert shares == sorted(shares, reverse=True)


def test_in_silence_the_threshold_of_hearing_decides() -> None:
    silence = np.zeros(SECOND, np.float32)
    assert audibility(at(35), silence).heard
    assert not audibility(at(0), silence).heard
    rumble = at_level(tone(1.0, 105), 20)  # audible at 1 kHz, not here
    assert not audibility(rumble, silence).heard
    assert audibility(at_level(tone(1.0, 1000), 20), silence).heard


def test_a_rest_in_another_band_hides_little() -> None:
    voice = at_level(tone(1.0, 2000), 50)
    assert audibility(voice, at_level(tone(1.0, 200), 65)).heard
    assert not audibility(voice, at_level(tone(1.0, 2000), 65)).heard


def test_pauses_of_the_rest_let_through_what_lies_in_them() -> None:
    talk = at(65, 2)
    assert not audibility(at(50), talk).heard
    talk[SECOND // 4 :] = 0
    assert 0.6 < audibility(at(50), talk).share < 0.8


def test_what_is_too_short_to_notice_is_not_heard() -> None:
    found = audibility(at(60)[:300], at(20, 2)[:300])
    assert (found.share, found.heard) == (0.0, False)
