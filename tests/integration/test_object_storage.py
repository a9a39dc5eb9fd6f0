"""Clips in object storage: s3fs speaks S3 over HTTP with a server (moto's), which may go away and come back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pytest

from sim.cloud.store import ClipStore
from sim.errors import Refused, StoreAwayError, StoreError
from tests.uplink_kit import cut, free_port, noise

if not os.environ.get("CI"):
    pytest.importorskip("s3fs", reason="s3fs and moto are not installed; they are in requirements-dev.lock")
from moto.server import ThreadedMotoServer

SAMPLES = noise(8_000)
PARTS = cut(SAMPLES, 1_000)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedMotoServer]:
    server = ThreadedMotoServer("127.0.0.1", port=free_port(), verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    fsspec.filesystem("s3").clear_instance_cache()
    fsspec.filesystem("s3").makedirs("clips", exist_ok=True)
    yield server
    fsspec.filesystem("s3").rm("clips", recursive=True)  # the server is part of this program, and so is what it keeps
    server.stop()
    fsspec.filesystem("s3").clear_instance_cache()


def objects() -> list[str]:
    listed: list[str] = fsspec.filesystem("s3", use_listings_cache=False).find("clips")
    return listed


def open_store(folder: Path) -> ClipStore:
    return ClipStore("s3://clips/far-end", f"sqlite:///{folder / 'clips.sqlite'}", folder)


@pytest.mark.usefixtures("server")
def test_clips_lie_in_a_bucket_bit_for_bit(tmp_path: Path) -> None:
    stores = [open_store(tmp_path) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda store: [store.add(part) for part in PARTS], stores))
    for store in stores:
        np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)
    with pytest.raises(Refused):
        stores[0].add(replace(PARTS[1], audio=PARTS[0].audio))
    folder = f"clips/far-end/audio/dot/{PARTS[0].clip}"
    assert objects() == [f"{folder}/{part.number:05d}-{part.digest[:16]}.flac" for part in PARTS]
    fsspec.filesystem("s3").rm_file(objects()[3])
    with pytest.raises(StoreError, match="is gone from the store s3://clips/far-end; bring it back from a copy"):
        stores[0].audio(PARTS[0].clip)
    for store in stores:
        store.close()


def test_storage_that_goes_away_keeps_no_part_and_takes_it_when_it_is_back(
    server: ThreadedMotoServer, tmp_path: Path
) -> None:
    store = open_store(tmp_path)
    store.add(PARTS[0])
    server.stop()
    with pytest.raises(StoreAwayError, match=r"s3://clips/far-end cannot be written \(.*\); check its"):
        store.add(PARTS[1])
    with pytest.raises(StoreAwayError, match="cannot be read"):
        store._files.read("anything")
    clip = store.clip(PARTS[0].clip)
    assert clip is not None
    assert clip.parts == 1
    server.start()
    for part in PARTS:
        store.add(part)
    np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)
    store.close()
