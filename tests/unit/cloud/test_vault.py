"""Keys: what is closed with one, who has which, and what is left when one is gone."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sim.cloud.customers import Account
from sim.cloud.order import Order
from sim.cloud.store import ClipStore
from sim.cloud.vault import Vault
from sim.errors import StoreError
from tests.erasure_cases import ANN, MORNING, NOW, SOUND, parts_at
from uplink.keys import BoxKey


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    vault = Vault.beside(tmp_path / "keys")
    yield vault
    vault.close()


def test_a_key_opens_what_it_closed_and_nothing_else(vault: Vault) -> None:
    ann, ben = vault.key_of("ann"), vault.key_of("ben")
    closed = ann.close(b"what was said")
    assert vault.key_of("ann") == ann
    assert closed != ann.close(b"what was said"), "the same looks different every time"
    assert b"said" not in closed
    assert ann.open(closed) == b"what was said"
    assert ben.open(closed) is None
    assert ann.open(closed[:-1]) is None
    assert ann.open(closed[:-1] + bytes([closed[-1] ^ 1])) is None
    assert ann.open(b"") is None
    assert repr(ann.box.raw) not in repr(ann)


def test_a_destroyed_key_is_nowhere_and_the_next_is_another(vault: Vault, tmp_path: Path) -> None:
    key, other = vault.key_of("ann"), vault.key_of("ben")

    def found(secret: bytes) -> bool:
        return any(secret in path.read_bytes() for path in (tmp_path / "keys").iterdir())

    assert found(key.box.raw)
    assert vault.destroy("ann") == 1
    assert vault.destroy("ann") == 0
    assert vault.key(key.name) is None
    assert not found(key.box.raw)
    assert found(other.box.raw)
    assert vault.key_of("ann").name != key.name
    assert vault.destroy("ben", "another") == 0
    assert vault.key(other.name) == other


def test_nobody_else_can_read_it(vault: Vault, tmp_path: Path) -> None:
    vault.key_of("ann")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_box_keys_are_of_32_bytes() -> None:
    assert len(BoxKey.make().raw) == 32
    assert "raw" not in repr(BoxKey.make())


def test_what_comes_after_another_program_destroyed_the_key_is_closed_with_the_new_one(tmp_path: Path) -> None:
    here, there = ClipStore(tmp_path), ClipStore(tmp_path)
    here.customers.register(Account(ANN, "Ann", None, None, None, {"dot": "G0"}))
    here.add_all(parts_at(MORNING))
    there.delete(Order("customer", "Ann", "all", NOW, ANN))
    later = parts_at(NOW)
    assert here.add_all(later) == [False, True]  # with a key in its memory that is gone
    for store in (here, there):
        np.testing.assert_array_equal(store.audio(later[0].clip), SOUND)
    here.close()
    there.close()


def test_a_clip_stays_its_customers_when_the_device_changes_hands_in_the_middle(tmp_path: Path) -> None:
    store = ClipStore(tmp_path)
    store.customers.register(Account(ANN, "Ann", None, None, None, {"dot": "G0"}))
    first, last = parts_at(MORNING)
    store.add(first)
    store.customers.register(Account("A0000000002", "Ben", None, None, None, {"dot": "G0"}))
    assert store.add_all([last, *parts_at(NOW)]) == [True, False, True]
    keys = {store.vault.key_of(number).name.encode(): number for number in (ANN, "A0000000002")}
    owners = {
        clip: {keys[path.read_bytes()[4:36]] for path in (tmp_path / "audio" / "dot" / clip).iterdir()}
        for clip in (first.clip, parts_at(NOW)[0].clip)
    }
    assert owners == {first.clip: {ANN}, parts_at(NOW)[0].clip: {"A0000000002"}}
    np.testing.assert_array_equal(store.audio(first.clip), SOUND)
    store.close()


def test_a_store_without_its_vault_says_which_is_missing(tmp_path: Path) -> None:
    store = ClipStore(tmp_path / "store")
    store.add_all(parts_at(MORNING))
    store.close()
    elsewhere = ClipStore(tmp_path / "store", vault=tmp_path / "other")
    with pytest.raises(StoreError, match="was destroyed, as somebody asked, or is in another vault"):
        elsewhere.audio(parts_at(MORNING)[0].clip)
    with pytest.raises(StoreError, match=r"the vault does not have the key of customer A\d{10}; name the one"):
        elsewhere.add_all(parts_at(NOW))
    elsewhere.close()


def test_sound_from_before_there_were_keys_is_closed_as_the_store_is_taken_up(tmp_path: Path) -> None:
    from sim.cloud.schema import CounterRow

    store = ClipStore(tmp_path)
    parts = parts_at(MORNING)
    store.add_all(parts)
    files = sorted((tmp_path / "audio").rglob("*.flac"))
    for path, part in zip(files, parts, strict=True):
        path.write_bytes(part.audio)
    np.testing.assert_array_equal(store.audio(parts[0].clip), SOUND)
    with store.database.writing() as session:
        session.add(CounterRow(name="open files", value=1))
    store.close()
    taken_up = ClipStore(tmp_path)
    assert not any(path.read_bytes().startswith(b"fLaC") for path in files)
    np.testing.assert_array_equal(taken_up.audio(parts[0].clip), SOUND)
    taken_up.close()
