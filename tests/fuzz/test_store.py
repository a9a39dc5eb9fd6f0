"""A far end's store whose files were changed on the disk: what it gives is what was stored, or one sentence."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from sim.cloud.store import ClipStore
from sim.errors import SimError
from tests.fuzz.conftest import Hunt, one_sentence
from tests.fuzz.mutation import spoil
from tests.uplink_kit import cut, noise

SAMPLES = noise(2_400)
PARTS = cut(SAMPLES, 800)


def read_or_refused(work: Callable[[], None]) -> str:
    """Let `work` be done, or fail with an error of this package, and one sentence."""
    try:
        work()
    except SimError as error:
        one_sentence(error)
        return "refused"
    return "read"


@pytest.fixture
def folder(fast_folder: Path) -> Path:
    store = ClipStore(fast_folder)
    for part in PARTS:
        store.add(part)
    store.close()
    return fast_folder


def test_sound_that_was_changed_on_the_disk_is_never_given_out(hunt: Hunt[bytes], folder: Path) -> None:
    file = sorted((folder / "audio").rglob("*.flac"))[1]
    whole = file.read_bytes()

    def read(data: bytes) -> str:
        file.write_bytes(data)

        def look() -> None:
            np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)
            assert data == whole

        return read_or_refused(look)

    with closing(ClipStore(folder)) as store:
        assert read(whole) == "read"
        hunt("sound in the store", lambda chance: spoil(chance, whole), read)


def test_a_database_that_was_changed_on_the_disk_costs_a_sentence(hunt: Hunt[bytes], folder: Path) -> None:
    file = folder / "store.sqlite"
    whole = file.read_bytes()

    def look() -> None:
        with closing(ClipStore(folder)) as store:
            for clip in store.clips():
                if clip.complete:
                    store.audio(clip.id)
            store.add(PARTS[0])
            store.next_serial(1)
            store.unanswered()
            store.stock({PARTS[0].clip: {0: "0" * 16}})

    def read(data: bytes) -> str:
        for beside in folder.glob("store.sqlite-*"):
            beside.unlink()
        file.write_bytes(data)
        return read_or_refused(look)

    assert read(whole) == "read"
    hunt("database of the store", lambda chance: spoil(chance, whole), read)
