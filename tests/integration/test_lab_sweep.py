"""A sweep as one gives it: its table, its folder, how it is broken off and goes on, and a cluster of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event

import pyarrow.parquet
import pytest

from sim.errors import ClusterLostError, LabError
from sim.lab.cluster import Cluster
from sim.main import main
from tests.lab_tasks import doubled

TINY = """
name: tiny
shows: A word that wakes, and one that does not.
utc: 2018-05-24T18:30:00-07:00
cloud: "off"
rooms: {living: {size_m: [6.0, 4.5, 2.6], rt60_s: 0}}
people: {ben: {voice: "flite:rms", room: living, at_m: [4.2, 3.6, 1.4], level_db_spl: 68}}
devices: {echo-dot: {room: living, at_m: [4.6, 4.2, 1.1]}}
script: [{who: ben, gap_ms: 2500, say: "Unacceptable, that weather."}]
tail_ms: 100
"""


def sweep_of(folder: Path, rows: int = 4) -> Path:
    (folder / "tiny.yaml").write_text(TINY)
    path = folder / "sweep.yaml"
    fields = "{wake.threshold: [0.3, 0.999], cloud.ears.recognizer: [none]}"
    path.write_text(f"scenario: {folder / 'tiny.yaml'}\nseeds: {rows // 2}\nfields: {fields}\n")
    return path


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    plot = ["--plot", str(folder / "sweep.svg")]
    assert main(["lab", "sweep", str(sweep_of(folder)), "--out", str(folder / "out"), "--workers", "2", *plot]) == 0
    return folder


def test_a_row_each_with_its_outcome(swept: Path) -> None:
    rows = pyarrow.parquet.read_table(swept / "out" / "rows.parquet").to_pylist()
    assert [row["row"] for row in rows] == [0, 1, 2, 3]
    assert [row["woke"] for row in rows] == [True, True, False, False]
    assert [row["seed"] for row in rows] == [0, 1, 0, 1]
    results = json.loads((swept / "out" / "results.json").read_text())
    shares = results["shares"]["wake.threshold"]
    assert [(value["value"], value["woke"]["share"]) for value in shares] == [("0.3", 1.0), ("0.999", 0.0)]
    assert results["manifest"]["sweep"]["fields"]["wake.threshold"] == [0.3, 0.999]
    assert "wake.threshold" in (swept / "sweep.svg").read_text()


def test_the_manifest_is_in_the_table(swept: Path) -> None:
    told = pyarrow.parquet.read_schema(swept / "out" / "rows.parquet").metadata[b"misheard"]
    assert json.loads(told)["sweep"]["seeds"] == 2


def test_done_again_nothing_is_played_and_nothing_changes(swept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (swept / "out" / "rows.parquet").read_bytes()
    monkeypatch.setattr("sim.lab.cluster.Cluster.__enter__", lambda _self: pytest.fail("it starts workers"))
    assert main(["lab", "sweep", str(swept / "sweep.yaml"), "--out", str(swept / "out")]) == 0
    assert (swept / "out" / "rows.parquet").read_bytes() == before


def test_another_sweep_in_the_same_folder_is_refused(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = swept / "other.yaml"
    other.write_text((swept / "sweep.yaml").read_text().replace("0.3", "0.4"))
    assert main(["lab", "sweep", str(other), "--out", str(swept / "out")]) == 2
    told = capsys.readouterr().err
    assert (
        told
        == f"misheard: {swept / 'out'} holds the results of something else asked; choose another folder with --out\n"
    )


def test_broken_off_it_ends_with_130_and_goes_on(tmp_path: Path) -> None:
    sweep, out = sweep_of(tmp_path, 16), tmp_path / "out"
    command = [sys.executable, "-m", "sim.main", "lab", "sweep", str(sweep), "--out", str(out), "--workers", "2"]
    code, told, errors = broken_off(command, lambda running: begun_by(running) >= 2)  # a worker is one of them
    assert (code, told.strip(), errors) == (130, "", "")
    rows = out / "rows.jsonl"
    code, told, errors = broken_off(command, lambda _: rows.is_file() and len(rows.read_bytes().splitlines()) >= 4)
    assert (code, errors) == (130, "")
    kept = (out / "rows.jsonl").read_text().splitlines()
    assert f"broken off: {len(kept) - 1} of 16 rows are done and kept" in " ".join(told.split())
    assert 3 <= len(kept) - 1 < 16
    assert main(command[3:]) == 0
    assert (out / "rows.jsonl").read_text().splitlines()[: len(kept)] == kept
    assert [row["woke"] for row in pyarrow.parquet.read_table(out / "rows.parquet").to_pylist()] == [True] * 8 + [
        False
    ] * 8


Scheduler = tuple[str, subprocess.Popen[bytes]]


@pytest.fixture
def lonely(tmp_path: Path) -> Iterator[Scheduler]:
    """A scheduler without a worker."""
    told = tmp_path / "scheduler.json"
    where = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told))
    with process("scheduler", *where) as running:
        wait_until(lambda: told.is_file() and len(told.read_bytes().splitlines()) >= 5, running)
        yield str(json.loads(told.read_text())["address"]), running


@pytest.fixture
def scheduler(tmp_path: Path, lonely: Scheduler) -> Iterator[Scheduler]:
    """As docs/lab-cluster.md has it: a scheduler and two workers, each a process of its own."""
    worker = ("worker", lonely[0], "--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path))
    with process(*worker), process(*worker):
        yield lonely


def test_a_scheduler_without_a_worker_is_one_sentence(lonely: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.lab.cluster.WORKERS_S", 0.2)
    told = f"the scheduler {lonely[0]} has no worker; start one with: dask worker {lonely[0]}"
    with pytest.raises(LabError, match=f"^{told}$"), Cluster(lonely[0]):
        pytest.fail("it waits for nobody")


def test_a_cluster_of_its_own_gives_the_same(swept: Path, tmp_path: Path, scheduler: Scheduler) -> None:
    out = tmp_path / "out"
    assert main(["lab", "sweep", str(swept / "sweep.yaml"), "--out", str(out), "--scheduler", scheduler[0]]) == 0
    assert (out / "rows.parquet").read_bytes() == (swept / "out" / "rows.parquet").read_bytes()


def test_a_scheduler_that_goes_away_is_one_sentence(scheduler: Scheduler, capfd: pytest.CaptureFixture[str]) -> None:
    url, running = scheduler
    with Cluster(url) as cluster:
        results = cluster.run("endless", doubled, enumerate(count()))
        next(results)
        running.kill()
        with pytest.raises(ClusterLostError, match=f"the scheduler {url} went away; give the same command to go on"):
            list(results)
    assert "Traceback" not in capfd.readouterr().err


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "dask", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(timeout=5)
            except subprocess.TimeoutExpired:  # a worker of Dask whose scheduler is gone may try to tell it for ever
                running.kill()


def broken_off(command: Sequence[str], when: Callable[[subprocess.Popen[str]], bool]) -> tuple[int, str, str]:
    """Ctrl-C as a terminal gives it, to the workers, too; exit code and what it said."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        wait_until(lambda: when(running), running)
        os.killpg(running.pid, signal.SIGINT)
        told, errors = running.communicate(timeout=60)
    return running.returncode, told, errors


def begun_by(running: subprocess.Popen[str]) -> int:
    """How many processes its threads have begun."""
    return sum(len(path.read_text().split()) for path in Path(f"/proc/{running.pid}/task").glob("*/children"))


def wait_until(true: Callable[[], bool], running: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    while running.poll() is None:
        if true():
            return
        Event().wait(0.02)
    pytest.fail(f"it ended with {running.returncode} before that")
