from __future__ import annotations

import numpy as np
import pytest

from sim.errors import LabError
from sim.home.levels import active_power, frame_powers
from sim.lab.conditions import LEAD, TAIL, Condition, conditions, heard, place, stream_heard
from tests.lab_kit import SAYS, speech

ROOM = "5,4,2.6,0.4,3"


def test_as_it_is_a_clip_is_what_was_recorded_with_silence_about_it() -> None:
    samples = speech(SAYS[0])
    sound = heard(samples, Condition(), 0, 0)
    assert len(sound) == LEAD + len(samples) + TAIL
    np.testing.assert_array_equal(sound[LEAD:-TAIL], samples)
    assert not sound[:LEAD].any()


@pytest.mark.parametrize("snr_db", [20.0, 5.0])
def test_noise_is_so_far_below_speech(snr_db: float) -> None:
    samples = speech(SAYS[0])
    sound = heard(samples, Condition(snr_db=snr_db), 1, 2)
    noise = float(np.mean(sound[:LEAD].astype(float) ** 2))
    assert 10 * np.log10(active_power(frame_powers(samples)) / noise) == pytest.approx(snr_db, abs=0.7)
    np.testing.assert_array_equal(sound, heard(samples, Condition(snr_db=snr_db), 1, 2))
    assert (sound != heard(samples, Condition(snr_db=snr_db), 1, 3)).any()


def test_a_room_keeps_the_level_and_the_time_and_adds_its_echo() -> None:
    samples = speech(SAYS[0])
    dry, wet = (heard(samples, Condition(where), 0, 0) for where in (None, place(ROOM)))
    powers = [10 * np.log10(active_power(frame_powers(sound))) for sound in (dry, wet)]
    assert powers[0] == pytest.approx(powers[1], abs=0.1)
    loud = [int(np.flatnonzero(np.abs(sound.astype(int)) > 500)[0]) for sound in (dry, wet)]
    assert abs(loud[0] - loud[1]) < 160
    after = slice(LEAD + len(samples), LEAD + len(samples) + 1600)
    assert np.mean(wet[after].astype(float) ** 2) > 100 * (np.mean(dry[after].astype(float) ** 2) + 1e-3)


def test_every_room_meets_every_noise_and_as_it_is_is_always_there() -> None:
    found = conditions([place(ROOM)], [20.0, 10.0, 20.0])
    assert [str(each) for each in found] == [
        "as it is",
        "20 dB pink",
        "10 dB pink",
        "room 5 x 4 x 2.6 m, 0.4 s, at 3 m",
        "room 5 x 4 x 2.6 m, 0.4 s, at 3 m, 20 dB pink",
        "room 5 x 4 x 2.6 m, 0.4 s, at 3 m, 10 dB pink",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("5,4", "is not LENGTH,WIDTH,HEIGHT,RT60,DISTANCE"),
        ("a,b,c,d,e", "is not LENGTH,WIDTH,HEIGHT,RT60,DISTANCE"),
        ("500,4,2.6,0.4,3", "is no room"),
        ("5,4,2.6,0.01,3", "walls that swallow everything"),
        ("5,4,2.6,0.4,4.5", "from 0.1 to 4 m away"),
    ],
)
def test_what_is_no_room_is_refused(text: str, told: str) -> None:
    with pytest.raises(LabError, match=told):
        place(text)


@pytest.mark.parametrize("condition", [Condition(place(ROOM)), Condition(snr_db=10), Condition(place(ROOM), 10)])
def test_the_cuts_make_no_difference(condition: Condition) -> None:
    samples = speech(SAYS[0])
    pieces = np.split(samples, [1, 700, 9_000, 9_001, 20_000])
    power = active_power(frame_powers(samples))
    cut = np.concatenate(list(stream_heard(lambda: pieces, power, condition, 4, 2)))
    assert np.max(np.abs(cut.astype(int) - heard(samples, condition, 4, 2))) <= 1  # rounding of the transforms
