"""A far end's store whose files were changed on the disk: what it gives is what was stored, or one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.cloud.store import ClipStore
from sim.errors import SimError
from tests.uplink_kit import cut, noise

SAMPLES = noise(2_400)
PARTS = cut(SAMPLES, 800)
EXAMPLES = 5_000 if os.environ.get("MISHEARD_FAULTS") == "full" else 100

Damage = Callable[[bytes], bytes]


def flip(at: float, mask: int) -> Damage:
    """Change bits of one byte, `at` so much of the file."""

    def damage(data: bytes) -> bytes:
        place = int(at * (len(data) - 1))
        return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]

    return damage


def cut_off(at: float) -> Damage:
    """Let the file end too early."""
    return lambda data: data[: int(at * len(data))]


def overwrite(at: float, new: bytes) -> Damage:
    """Put other bytes over it."""

    def damage(data: bytes) -> bytes:
        place = int(at * len(data))
        return data[:place] + new + data[place + len(new) :]

    return damage


SHARES = st.floats(0, 1, allow_nan=False)
DAMAGES = st.one_of(
    st.builds(flip, SHARES, st.integers(1, 255)),
    st.builds(cut_off, SHARES),
    st.builds(overwrite, SHARES, st.binary(min_size=1, max_size=4096)),
)


@contextmanager
def one_sentence_at_most() -> Iterator[None]:
    """Let the block fail, but only with an error of this package, and one sentence."""
    try:
        yield
    except SimError as error:
        said = str(error)
    else:
        return
    assert "\n" not in said


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    store = ClipStore(folder)
    for part in PARTS:
        store.add(part)
    store.close()
    return folder


@given(damage=DAMAGES, number=st.integers(0, len(PARTS) - 1))
@settings(max_examples=EXAMPLES)
def test_sound_that_was_changed_on_the_disk_is_never_given_out(folder: Path, damage: Damage, number: int) -> None:
    file = sorted((folder / "audio").rglob("*.flac"))[number]
    whole = file.read_bytes()
    store = ClipStore(folder)
    file.write_bytes(damage(whole))
    try:
        with one_sentence_at_most():
            np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)
            assert file.read_bytes() == whole
    finally:
        file.write_bytes(whole)
        store.close()


@given(damage=DAMAGES)
@settings(max_examples=EXAMPLES)
def test_a_database_that_was_changed_on_the_disk_costs_a_sentence(folder: Path, damage: Damage) -> None:
    file = folder / "store.sqlite"
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    try:
        with one_sentence_at_most(), closing(ClipStore(folder)) as store:
            for clip in store.clips():
                if clip.complete:
                    store.audio(clip.id)
            store.add(PARTS[0])
            store.next_serial(1)
            store.unanswered()
            store.stock({PARTS[0].clip: {0: "0" * 16}})
    finally:
        for beside in folder.glob("store.sqlite-*"):
            beside.unlink()
        file.write_bytes(whole)
