from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from sim.errors import LabError
from sim.lab.cluster import Cluster, perform
from sim.lab.ledger import Ledger
from sim.lab.running import work
from tests.lab_tasks import doubled, ends_its_process_once, refuses


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Cluster]:
    with Cluster(workers=2) as cluster:
        yield cluster


def test_every_task_is_done_once_under_its_number(two_workers: Cluster, tmp_path: Path) -> None:
    with Ledger(tmp_path / "a.jsonl", {}, 300) as ledger:
        ledger.add([(7, "kept")])
        work(ledger, doubled, lambda number: number, two_workers, Console(quiet=True), "tasks")
        expected = [{"twice": 2 * number} for number in range(300)]
        assert list(ledger.results()) == [*expected[:7], "kept", *expected[8:]]


def test_a_killed_worker_costs_time_alone(two_workers: Cluster, tmp_path: Path) -> None:
    marker = tmp_path / "killed"
    tasks = [(number, (number, str(marker))) for number in range(8)]
    found = [result for results in two_workers.run("killed", ends_its_process_once, tasks) for result in results]
    assert marker.exists()
    assert sorted(found) == [(number, number) for number in range(8)]


def test_no_more_tasks_are_asked_for_than_there_is_room_for(two_workers: Cluster) -> None:
    asked = 0

    def tasks() -> Iterator[tuple[int, int]]:
        nonlocal asked
        for asked in range(1, 1001):
            yield asked, asked

    results = two_workers.run("room", doubled, tasks())
    done = len(next(results))
    assert asked <= 8 + done  # four for each of two
    assert sum(map(len, results)) + done == 1000


def test_memory_does_not_grow_with_the_number_of_tasks() -> None:
    command = [sys.executable, "-m", "tests.unit.lab.many_tasks"]
    grown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240).stdout
    assert int(grown) < 20_000_000  # the results alone would be 40 MB


def test_what_a_task_raises_is_raised_here(two_workers: Cluster) -> None:
    with pytest.raises(ValueError, match="this one is not to be done"):
        list(two_workers.run("refuses", refuses, [(0, 0)]))


def test_a_scheduler_that_is_not_there_is_one_sentence_in_ten_seconds() -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(LabError, match=rf"no scheduler at {address} \(nothing answers there\)"), Cluster(address):
            pass
    assert time.monotonic() - began < 10


def test_an_address_that_is_none_is_one_sentence() -> None:
    with pytest.raises(LabError, match=r"no scheduler at carrier-pigeon://there"), Cluster("carrier-pigeon://there"):
        pass


def test_a_worker_with_other_versions_does_nothing() -> None:
    with pytest.raises(LabError, match=r"a worker has numpy \S+ and this program 1\.0; make them equal"):
        perform([(0, 1)], doubled, {**_versions(), "numpy": "1.0"})
    assert perform([(0, 1)], doubled, _versions())[0] == [(0, {"twice": 2})]


def _versions() -> dict[str, str]:
    from device.rundir import versions

    return versions()


def test_without_dask_a_sentence_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(LabError, match=r"not installed; install it with: pip install dask distributed$"):
        Cluster()
