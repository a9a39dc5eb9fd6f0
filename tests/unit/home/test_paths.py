"""Responses are computed once, and whatever is wrong with what was kept costs time alone."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from device.config import AcousticSettings
from sim.home import paths
from sim.home.levels import Sound
from sim.home.paths import Paths
from sim.home.room import response
from sim.scenario import Room
from sim.scenario.base import Place
from tests.home_kit import scenario


@pytest.fixture
def computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """The listeners for which a response was computed, with a cache of its own."""
    found: list[Place] = []

    def count(room: Room, source: Place, listener: Place) -> Sound:
        found.append(listener)
        return response(room, source, listener)

    monkeypatch.setattr(paths, "response", count)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _name: tmp_path)
    paths._kept.cache_clear()
    return found


def between(kind: str, source: str, to: str, listener: str) -> Sound:
    of = scenario()
    home = Paths(of, dict.fromkeys(of.devices, AcousticSettings()))
    return home.between(home.spot(kind, source), home.spot(to, listener))


def test_what_was_computed_is_kept_in_the_process_and_on_the_disk(computed: list[Place]) -> None:
    first = between("people", "ann", "devices", "dot")
    assert between("people", "ann", "devices", "dot").tobytes() == first.tobytes()
    paths._kept.cache_clear()  # as in another process
    assert between("people", "ann", "devices", "dot").tobytes() == first.tobytes()
    assert len(computed) == 1
    between("people", "ben", "devices", "dot")
    assert len(computed) == 2


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"no array at all"])
def test_a_damaged_cache_is_mended(computed: list[Place], tmp_path: Path, damage: bytes) -> None:
    first = between("people", "ann", "devices", "dot")
    (kept,) = tmp_path.rglob("*.npy")
    for bad in (damage, _saved(np.zeros(3)), _saved(np.full(3, np.nan, np.float32))):
        kept.write_bytes(bad)
        paths._kept.cache_clear()
        assert between("people", "ann", "devices", "dot").tobytes() == first.tobytes()
    assert len(computed) == 4
    assert not list(tmp_path.rglob("*.part"))


def _saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_a_cache_that_cannot_be_written_does_no_harm(
    computed: list[Place], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _name: tmp_path / "file")
    assert len(between("people", "ann", "devices", "dot"))
    assert len(computed) == 1


def test_one_s_own_voice_comes_from_17_cm_and_a_ceiling_is_no_hindrance(computed: list[Place]) -> None:
    between("people", "ann", "people", "ann")
    assert computed[-1] == (3.0, 2.0, 1.17)
    of = scenario()
    high = of.model_copy(update={"people": {"ann": of.people["ann"].model_copy(update={"at_m": (3.0, 2.0, 2.95)})}})
    home = Paths(high, dict.fromkeys(high.devices, AcousticSettings()))
    ann = home.spot("people", "ann")
    home.between(ann, ann)
    assert computed[-1] == pytest.approx((3.0, 2.0, 2.78))


@pytest.mark.usefixtures("computed")
def test_a_person_at_the_very_place_of_a_device_is_beside_it() -> None:
    of = scenario()
    there = of.people["ann"].model_copy(update={"at_m": of.devices["dot"].at_m})
    home = Paths(of.model_copy(update={"people": {"ann": there}}), dict.fromkeys(of.devices, AcousticSettings()))
    heard = home.between(home.spot("people", "ann"), home.spot("devices", "dot"))
    assert np.isfinite(heard).all()
    assert np.sqrt(np.sum(heard.astype(float) ** 2)) == pytest.approx(1 / 0.05, rel=0.25)
