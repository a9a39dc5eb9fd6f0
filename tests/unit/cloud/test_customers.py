"""Whose devices they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.cloud.customers import Account, Device
from sim.cloud.schema import ClipRow
from sim.cloud.store import ClipStore
from sim.errors import StoreError
from tests.uplink_kit import cut, noise

ANN = Account("A0000000007", "Ann", 45.37, -121.7, None, {"dot": "G0AAAAAAAAAAAAAA", "lamp": "G0BBBBBBBBBBBBBB"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ClipStore]:
    store = ClipStore(tmp_path)
    yield store
    store.close()


def owner(store: ClipStore, clip: str) -> str:
    with store._database.reading() as session:
        return session.get_one(ClipRow, clip).customer


def test_a_device_that_is_nobodys_gets_an_owner_with_its_first_part(store: ClipStore) -> None:
    (part,) = cut(noise(800), 1_000, device="dot")
    store.add(part)
    (customer,) = store.customers.all()
    assert customer == store.customers.of_device("dot")
    assert (customer.number, customer.first_name, customer.choice, customer.keep_days) == (
        "A3515409802",
        "",
        None,
        None,
    )
    assert customer.devices == (Device("dot", "G0EF4CBE8C3EF59D"),)
    assert owner(store, part.clip) == customer.number


def test_clips_stay_with_whom_they_were_recorded(store: ClipStore) -> None:
    before, after = (cut(noise(800), 1_000, device="dot", begin=begin)[0] for begin in (0, 16_000))
    store.add(before)
    store.customers.register(ANN)
    store.add(after)
    assert [owner(store, part.clip) for part in (before, after)] == ["A3515409802", ANN.number]
    assert store.customers.of_device("lamp") == store.customers.get(ANN.number)
    assert store.customers.get("A3515409802").devices == ()


def test_what_was_chosen_outlives_another_registration(store: ClipStore) -> None:
    store.customers.register(ANN)
    store.customers.choose(ANN.number, "out")
    store.customers.keep(ANN.number, 90)
    store.customers.register(ANN)
    ann = store.customers.get(ANN.number)
    assert (ann.choice, ann.keep_days, ann.first_name, ann.latitude) == ("out", 90, "Ann", 45.37)
    store.customers.choose(ANN.number, None)
    store.customers.keep(ANN.number, None)
    assert (store.customers.get(ANN.number).choice, store.customers.get(ANN.number).keep_days) == (None, None)


def test_who_is_not_there_is_one_sentence(store: ClipStore) -> None:
    for ask in (store.customers.get, lambda number: store.customers.choose(number, "in")):
        with pytest.raises(StoreError, match="no customer has the number A1"):
            ask("A1")
    with pytest.raises(StoreError, match="cannot be kept for 0 days"):
        store.customers.keep("A1", 0)
