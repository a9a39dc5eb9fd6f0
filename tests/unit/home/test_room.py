"""Responses of rooms against what acoustics says of them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from sim.errors import RoomError
from sim.home.levels import Sound
from sim.home.room import response
from sim.scenario import Room

FREE = Room(size_m=(10.0, 10.0, 5.0), rt60_s=0)


def db(response: Sound) -> float:
    return 10 * float(np.log10(np.sum(response.astype(np.float64) ** 2)))


def reverberation_s(response: Sound) -> float:
    """T30: the backward integral (Schroeder 1965) from -5 to -35 dB, as 60 dB."""
    left = np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1]
    curve = 10 * np.log10(left / left[0] + 1e-30)
    part = np.flatnonzero((curve < -5) & (curve > -35))
    return -60 / float(np.polyfit(part / 16_000, curve[part], 1)[0])


@pytest.mark.parametrize("distance_m", [0.5, 1.0, 2.0, 4.0])
def test_without_walls_sound_falls_as_one_over_the_distance_and_comes_with_its_delay(distance_m: float) -> None:
    heard = response(FREE, (2.0, 5.0, 2.0), (2.0 + distance_m, 5.0, 2.0))
    assert db(heard) == pytest.approx(-20 * np.log10(distance_m), abs=0.3)
    assert abs(int(np.argmax(np.abs(heard))) - distance_m / 343 * 16_000) <= 1


@pytest.mark.parametrize(
    ("size_m", "rt60_s"),
    [
        ((6.0, 4.5, 2.6), 0.35),
        ((4.0, 3.0, 2.5), 0.35),
        ((4.0, 3.0, 2.5), 0.8),
        ((10.0, 8.0, 3.0), 0.5),
        ((6.0, 4.5, 2.6), 1.5),
    ],
)
def test_a_room_rings_as_long_as_it_should(size_m: tuple[float, float, float], rt60_s: float) -> None:
    room = Room(size_m=size_m, rt60_s=rt60_s)
    for source, listener in [((0.3, 0.35, 0.45), (0.75, 0.22, 0.35)), ((0.8, 0.8, 0.5), (0.2, 0.2, 0.4))]:
        at = [tuple(map(float, np.multiply(size_m, part))) for part in (source, listener)]
        assert reverberation_s(response(room, at[0], at[1])) == pytest.approx(rt60_s, rel=0.12)  # type: ignore[arg-type]


def test_far_from_the_source_the_room_gives_the_level_of_a_diffuse_field() -> None:
    """Sabine: 4 / A of what is radiated, with A = S a / (1 - a); at 1 m it is 1 / (4 pi) of it."""
    room = Room(size_m=(8.0, 6.0, 3.0), rt60_s=0.8)
    absorption = room.least_rt60_s / room.rt60_s
    area = 2 * (8 * 6 + 8 * 3 + 6 * 3) * absorption / (1 - absorption)
    found = [db(response(room, (1.5, 1.5, 1.2), (x, y, 1.5))) for x in (5.0, 6.1, 7.0) for y in (3.3, 4.2, 5.0)]
    assert np.mean(found) == pytest.approx(10 * np.log10(4 * np.pi * 4 / area), abs=1.5)


def test_a_room_is_the_same_room_every_time_and_another_place_is_another_response() -> None:
    room = Room(size_m=(6.0, 4.5, 2.6), rt60_s=0.4)
    first, again = (response(room, (1.0, 1.0, 1.0), (4.0, 3.0, 1.0)) for _ in range(2))
    moved = response(room, (1.0, 1.0, 1.0), (4.0, 3.1, 1.0))
    assert first.tobytes() == again.tobytes()
    assert abs(np.corrcoef(first[4000:6000], moved[4000:6000])[0, 1]) < 0.2


def test_how_many_cores_there_are_makes_no_difference() -> None:
    import pyroomacoustics as pra

    room, found = Room(size_m=(6.0, 4.5, 2.6), rt60_s=0.35), set()
    for threads in (1, 3):
        pra.constants.set("num_threads", threads)
        found.add(response(room, (4.5, 1.0, 1.0), (2.0, 1.5, 1.2)).tobytes())
    assert len(found) == 1


def test_without_pyroomacoustics_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(RoomError, match="install it with: pip install pyroomacoustics"):
        response(FREE, (1.0, 1.0, 1.0), (2.0, 1.0, 1.0))
