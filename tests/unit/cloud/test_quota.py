"""Where the quota of a store comes from."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from device.config import KeepSettings, load_device
from sim.cloud.embedded import deletion_of, embedded_far_end
from sim.cloud.quota import Quota
from sim.cloud.settings import DeletionSettings, load_cloud
from sim.cloud.store import ClipStore
from sim.errors import StoreAwayError
from tests.uplink_kit import cut, noise

SYSTEMD = Path(__file__).parents[3] / "configs" / "systemd"
WANTED = DeletionSettings(keep_days=92, keep_mb=4000, when_full="oldest")


def test_a_service_keeps_as_much_with_its_far_end_inside_or_apart(tmp_path: Path) -> None:
    assert load_cloud(SYSTEMD / "far-end.yaml").deletion == WANTED
    keep = load_device(SYSTEMD / "device.yaml").keep
    seen: list[tuple[DeletionSettings, int | None]] = []

    @contextmanager
    def keeping(store: ClipStore, _keys: Any, settings: DeletionSettings, _tell: Any) -> Iterator[None]:
        seen.append((settings, None if store.quota is None else store.quota.most))
        yield

    for wanted in (keep, KeepSettings()):
        with embedded_far_end(tmp_path, "dot", lambda _kind, _facts: None, None, wanted, keeping=keeping):
            pass
    assert seen == [(WANTED, 4_000_000_000), (DeletionSettings(), None)]


def test_what_a_profile_leaves_open_the_device_s_own_settings_say(tmp_path: Path) -> None:
    keep = KeepSettings(clip_days=92, clip_mb=4000)
    assert deletion_of(DeletionSettings(), keep) == WANTED
    own = DeletionSettings(keep_mb=5, by_voice=False)
    assert deletion_of(own, keep) == DeletionSettings(keep_days=92, keep_mb=5, when_full="refuse", by_voice=False)
    assert deletion_of(own, KeepSettings()) == deletion_of(own, None) == own
    seen: list[DeletionSettings] = []

    @contextmanager
    def keeping(_store: ClipStore, _keys: Any, settings: DeletionSettings, _tell: Any) -> Iterator[None]:
        seen.append(settings)
        yield

    profile = tmp_path / "own.yaml"
    profile.write_text("deletion: {keep_days: 7}\n", "utf-8")
    with embedded_far_end(tmp_path, "dot", lambda _kind, _facts: None, str(profile), keep, keeping=keeping):
        pass
    assert seen == [DeletionSettings(keep_days=7, keep_mb=4000, when_full="oldest")]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ClipStore]:
    store = ClipStore(tmp_path)
    yield store
    store.close()


def test_a_store_that_cannot_be_counted_is_away_until_it_can(store: ClipStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = cut(noise(2_000), 1_000)
    store.add(first)
    real = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith(first.clip):
            raise OSError(errno.EIO, "Input/output error", str(path))
        return real(path)

    store.quota = Quota(store.files, 1, deletes=False)
    with monkeypatch.context() as broken:
        broken.setattr("sim.cloud.quota.os.scandir", refuse)
        with pytest.raises(StoreAwayError, match=rf"{first.clip} cannot be counted \(Input/output error\); check"):
            store.add(second)
    assert store.add(second)


def test_a_store_is_counted_when_somebody_wants_to_know_and_not_while_it_starts(store: ClipStore) -> None:
    first, second = cut(noise(2_000), 1_000)
    store.add(first)
    store.quota = quota = Quota(store.files, 1, deletes=False)
    assert quota.held == 0
    store.add(second)
    assert quota.held == sum(quota.count().values()) > 2_000
