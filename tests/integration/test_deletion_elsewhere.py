"""Messages and deletions where the database is PostgreSQL, and where sound lies in object storage."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest

from sim.cloud.database import Database
from sim.cloud.files import Files
from sim.cloud.store import ClipStore
from tests.deletion_cases import CASES, Place
from tests.postgres_kit import PostgreSQL
from tests.uplink_kit import free_port


@pytest.fixture(scope="module")
def postgresql(needs: Callable[[str], str]) -> Iterator[PostgreSQL]:
    with PostgreSQL(needs("postgresql")) as running:
        yield running


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    if not os.environ.get("CI"):
        pytest.importorskip("s3fs", reason="s3fs and moto are not installed; they are in requirements-dev.lock")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=free_port(), verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "nobody")
        fsspec.filesystem("s3").clear_instance_cache()
        fsspec.filesystem("s3").makedirs("deletions", exist_ok=True)
        yield "s3://deletions"
        fsspec.filesystem("s3").rm("deletions", recursive=True)
        server.stop()
        fsspec.filesystem("s3").clear_instance_cache()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_postgresql(case: Callable[[Place], None], postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = postgresql.database(f"deletions{free_port()}")
    store, database, files = ClipStore(tmp_path, url), Database(url), Files(tmp_path)
    case(Place(store, database, files))
    files.close()
    database.close()
    store.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_in_object_storage(case: Callable[[Place], None], bucket: str, tmp_path: Path) -> None:
    url, root = f"sqlite:///{tmp_path / 'store.sqlite'}", f"{bucket}/{case.__name__.replace('_', '-')}"
    store, database, files = ClipStore(root, url, tmp_path), Database(url), Files(root)
    case(Place(store, database, files))
    files.close()
    database.close()
    store.close()
