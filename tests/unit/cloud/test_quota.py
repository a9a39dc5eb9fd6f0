"""Where the quota of a store comes from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from device.config import KeepSettings, load_device
from sim.cloud.embedded import embedded_far_end
from sim.cloud.settings import DeletionSettings, load_cloud
from sim.cloud.store import ClipStore

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
    assert seen == [(WANTED, 4_000_000_000), (DeletionSettings(when_full="oldest"), None)]
